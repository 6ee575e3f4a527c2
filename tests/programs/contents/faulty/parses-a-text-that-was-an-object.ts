//! class: contents
//! kind: faulty
//! like: claude
//! servers: git
//! fault: a text that is a JSON object has come as one, and is parsed again
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["already", "git.git_show"]
//! calls: ["git.git_show"]
//! completed: ["git.git_show"]
//! repair: program
//! ----
const text = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:package.json" });
const pkg = JSON.parse(text);
return Object.keys(pkg.scripts);
