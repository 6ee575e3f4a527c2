//! class: expressions
//! kind: faulty
//! like: gpt
//! servers: git
//! fault: the last expression is an object in parentheses
//! verdict: noted
//! provable: no
//! value: {"branch": "main", "clean": false}
//! notes: ["return|expression|last"]
//! calls: ["git.git_status"]
//! repair: unneeded
//! ----
const status = await git.git_status({ repo_path: "/srv/web" });
const branch = status.match(/On branch (\S+)/)[1];
({ branch, clean: !status.includes("modified:") });
