//! class: names
//! kind: repaired
//! servers: git
//! repairs: prefix-left-out
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["git.git_log"]
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 1 });
return log.includes("Mona");
