//! class: arguments
//! kind: repaired
//! servers: git
//! trusted: git.git_diff_unstaged
//! repairs: null-for-absent-trusted
//! verdict: runs
//! value: 5
//! notes: none
//! calls: ["git.git_diff_unstaged"]
//! sends: [{"repo_path": "/srv/web"}]
//! ----
const diff = await git.git_diff_unstaged({ repo_path: "/srv/web" });
return diff.split("\n").length;
