//! class: globals
//! kind: repaired
//! servers: git
//! repairs: performance-now
//! verdict: runs
//! value: {"ok": true, "isTimed": true}
//! notes: none
//! calls: ["git.git_log"]
//! ----
const began = Date.now();
const log = await git.git_log({ repo_path: "/srv/web", max_count: 1 });
return { ok: log.length > 0, isTimed: began >= 0 };
