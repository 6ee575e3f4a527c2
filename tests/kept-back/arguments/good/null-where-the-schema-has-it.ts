//! class: arguments
//! kind: good
//! servers: git
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["git.git_log"]
//! sends: [{"repo_path": "/srv/web", "max_count": 1, "start_timestamp": null}]
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 1, start_timestamp: null });
return log.startsWith("Commit: 5f3c1e0");
