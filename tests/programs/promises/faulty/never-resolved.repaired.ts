//! class: promises
//! kind: repaired
//! servers: git
//! repairs: never-resolved
//! verdict: runs
//! value: "changed"
//! notes: none
//! calls: ["git.git_status"]
//! ----
const status = await git.git_status({ repo_path: "/srv/web" });
return status.includes("nothing to commit") ? "clean" : "changed";
