//! class: contents
//! kind: good
//! servers: git
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["git.git_show"]
//! ----
const hosts = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:hosts.json" });
return hosts.length;
