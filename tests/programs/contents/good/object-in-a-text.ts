//! class: contents
//! kind: good
//! like: claude
//! servers: git
//! looks: texts that are a JSON object and a JSON array are values
//! verdict: runs
//! value: {"name": "web", "dependencies": ["react", "zod"], "hosts": ["a", "b"]}
//! notes: none
//! calls: ["git.git_show", "git.git_show"]
//! ----
const pkg = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:package.json" });
const hosts = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:hosts.json" });
return { name: pkg.name, dependencies: Object.keys(pkg.dependencies), hosts: hosts.map((host) => host.split(".")[0]) };
