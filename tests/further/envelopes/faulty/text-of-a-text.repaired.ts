//! class: envelopes
//! kind: repaired
//! servers: git
//! repairs: text-of-a-text
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["git.git_status"]
//! ----
const status = await git.git_status({ repo_path: "/srv/web" });
return status.includes("main");
