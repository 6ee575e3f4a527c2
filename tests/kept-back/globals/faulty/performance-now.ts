//! class: globals
//! kind: faulty
//! servers: git
//! fault: `performance.now()`, around a call
//! verdict: refused
//! provable: yes
//! says: ["Date.now"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const began = performance.now();
const log = await git.git_log({ repo_path: "/srv/web", max_count: 1 });
return { ok: log.length > 0, isTimed: began >= 0 };
