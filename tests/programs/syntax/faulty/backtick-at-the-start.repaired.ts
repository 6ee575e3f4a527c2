//! class: syntax
//! kind: repaired
//! servers: git
//! repairs: backtick-at-the-start
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["git.git_log"]
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 2 });
return log.length;
