//! class: names
//! kind: repaired
//! servers: git
//! repairs: tools-namespace
//! verdict: runs
//! value: "Author: Mona"
//! notes: none
//! calls: ["git.git_log"]
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 1 });
return log.split("\n")[1];
