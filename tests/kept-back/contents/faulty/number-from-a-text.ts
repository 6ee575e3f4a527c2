//! class: contents
//! kind: faulty
//! servers: git
//! fault: a text that looks like a number is used as one
//! verdict: runs
//! provable: no
//! value: [1, 10]
//! notes: any
//! calls: ["git.git_show"]
//! repair: unneeded
//! ----
const version = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:VERSION" });
return version.split(".").map(Number);
