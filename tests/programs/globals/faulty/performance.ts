//! class: globals
//! kind: faulty
//! like: claude
//! servers: git
//! fault: measures with a clock that is not there
//! verdict: refused
//! provable: yes
//! at: [1]
//! says: ["performance", "Date"]
//! calls: []
//! repair: program
//! ----
const start = performance.now();
const branches = await git.git_branch({ repo_path: "/srv/web", branch_type: "all" });
const elapsed = performance.now() - start;
return { branches: branches.split("\n").length, fast: elapsed < 60_000 };
