//! class: contents
//! kind: repaired
//! servers: git
//! repairs: parses-a-text-that-was-an-object
//! verdict: runs
//! value: ["test", "build"]
//! notes: none
//! calls: ["git.git_show"]
//! ----
const text = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:package.json" });
const pkg = text;
return Object.keys(pkg.scripts);
