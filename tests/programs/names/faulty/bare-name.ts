//! class: names
//! kind: faulty
//! like: llama
//! servers: filesystem git
//! fault: a tool without its namespace, after a call that is right
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["filesystem.list_directory"]
//! calls: []
//! repair: program
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 1 });
const result = await list_directory({ path: "/srv/web/src" });
return { log: log.split("\n")[0], files: result.content.split("\n").length };
