//! class: contents
//! kind: good
//! servers: git
//! verdict: runs
//! value: ["string", true]
//! notes: none
//! calls: ["git.git_show"]
//! ----
const flag = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:flags/beta" });
return [typeof flag, flag === "true"];
