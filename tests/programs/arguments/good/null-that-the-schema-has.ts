//! class: arguments
//! kind: good
//! like: llama
//! servers: git
//! looks: `null` where the schema lists it: sent as it is
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["git.git_log"]
//! sends: [{"repo_path": "/srv/web", "max_count": 2, "start_timestamp": null, "end_timestamp": null}]
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 2, start_timestamp: null, end_timestamp: null });
return log.length;
