//! class: names
//! kind: repaired
//! servers: filesystem git
//! repairs: bare-name
//! verdict: runs
//! value: {"log": "Commit: 5f3c1e0", "files": 2}
//! notes: none
//! calls: ["git.git_log", "filesystem.list_directory"]
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 1 });
const result = await filesystem.list_directory({ path: "/srv/web/src" });
return { log: log.split("\n")[0], files: result.content.split("\n").length };
