//! class: globals
//! kind: repaired
//! servers: git
//! repairs: window-btoa
//! verdict: runs
//! value: "MS4xMA=="
//! notes: none
//! calls: ["git.git_show"]
//! ----
const version = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:VERSION" });
return globalThis.btoa(version);
