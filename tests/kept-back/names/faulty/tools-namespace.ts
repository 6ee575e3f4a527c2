//! class: names
//! kind: faulty
//! servers: git
//! fault: `tools.` before the name
//! verdict: refused
//! provable: yes
//! says: ["git.git_log"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const log = await tools.git.git_log({ repo_path: "/srv/web", max_count: 1 });
return log.split("\n")[1];
