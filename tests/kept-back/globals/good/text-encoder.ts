//! class: globals
//! kind: good
//! servers: git
//! verdict: runs
//! value: 8
//! notes: any
//! calls: ["git.git_show"]
//! ----
const motto = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:motto" });
return new TextEncoder().encode(motto).length;
