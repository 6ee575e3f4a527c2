//! class: syntax
//! kind: repaired
//! servers: git
//! repairs: shell-command
//! verdict: runs
//! value: "Commit: 5f3c1e0"
//! notes: none
//! calls: ["git.git_log"]
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 3 });
return log[0].split("\n")[0];
