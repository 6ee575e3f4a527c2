//! class: contents
//! kind: repaired
//! servers: git
//! repairs: number-methods-of-a-text
//! verdict: runs
//! value: "next: 1.101"
//! notes: none
//! calls: ["git.git_show"]
//! ----
const version = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:VERSION" });
return "next: " + (version + "1");
