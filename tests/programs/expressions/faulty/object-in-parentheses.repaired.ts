//! class: expressions
//! kind: repaired
//! servers: git
//! repairs: object-in-parentheses
//! verdict: runs
//! value: {"branch": "main", "clean": false}
//! notes: none
//! calls: ["git.git_status"]
//! ----
const status = await git.git_status({ repo_path: "/srv/web" });
const branch = status.match(/On branch (\S+)/)[1];
return ({ branch, clean: !status.includes("modified:") });
