//! class: expressions
//! kind: faulty
//! servers: git
//! fault: the last statement is a conditional expression
//! verdict: noted
//! provable: no
//! value: "dirty"
//! notes: any
//! calls: ["git.git_status"]
//! repair: unneeded
//! ----
const status = await git.git_status({ repo_path: "/srv/web" });
status.includes("modified") ? "dirty" : "clean";
