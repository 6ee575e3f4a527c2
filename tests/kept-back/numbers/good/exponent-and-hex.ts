//! class: numbers
//! kind: good
//! servers: git
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["git.git_log"]
//! ----
const most = 1e21;
const mask = 0xff;
const log = await git.git_log({ repo_path: "/srv/web", max_count: 1 });
return log.length < most && mask === 255;
