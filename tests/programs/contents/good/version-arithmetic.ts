//! class: contents
//! kind: good
//! like: gpt
//! servers: git
//! looks: a version number keeps its zero
//! verdict: runs
//! value: "1.11"
//! notes: none
//! calls: ["git.git_show"]
//! ----
const version = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:VERSION" });
const [major, minor] = version.split(".").map(Number);
return `${major}.${minor + 1}`;
