//! class: envelopes
//! kind: good
//! servers: git
//! verdict: runs
//! value: "quoted"
//! notes: none
//! calls: ["git.git_show"]
//! ----
const text = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:motto" });
return JSON.parse(text);
