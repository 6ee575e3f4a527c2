//! class: promises
//! kind: repaired
//! servers: git
//! repairs: promise-in-a-template
//! verdict: runs
//! value: "3 branches, last commit: Commit: 5f3c1e0\nAuthor: Mona\nDate: 2026-11-20 10:00:00\nMessage: Fix cart total"
//! notes: none
//! calls: ["git.git_branch", "git.git_show"]
//! ----
const branches = await git.git_branch({ repo_path: "/srv/web", branch_type: "local" });
return `${branches.split("\n").length} branches, last commit: ${await git.git_show({ repo_path: "/srv/web", revision: "5f3c1e0" })}`;
