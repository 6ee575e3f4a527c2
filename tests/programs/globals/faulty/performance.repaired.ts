//! class: globals
//! kind: repaired
//! servers: git
//! repairs: performance
//! verdict: runs
//! value: {"branches": 3, "fast": true}
//! notes: none
//! calls: ["git.git_branch"]
//! ----
const start = Date.now();
const branches = await git.git_branch({ repo_path: "/srv/web", branch_type: "all" });
const elapsed = Date.now() - start;
return { branches: branches.split("\n").length, fast: elapsed < 60_000 };
