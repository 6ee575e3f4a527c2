//! class: contents
//! kind: faulty
//! servers: git
//! fault: several blocks are one text for the program
//! verdict: fails
//! provable: no
//! says: ["array|blocks"]
//! at: [2]
//! calls: ["git.git_log"]
//! repair: none
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 2 });
return log.split("\n\n").length;
