//! class: fences
//! kind: repaired
//! servers: git
//! repairs: two-programs-in-fences
//! verdict: runs
//! value: ["main", "dev", "release"]
//! notes: none
//! calls: ["git.git_branch"]
//! ----
const branches = await git.git_branch({ repo_path: "/srv/web", branch_type: "local" });
return branches.split("\n").map((line) => line.replace("*", "").trim());
