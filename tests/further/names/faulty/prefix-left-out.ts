//! class: names
//! kind: faulty
//! servers: git
//! fault: the prefix of the tool is left out
//! verdict: refused
//! provable: yes
//! says: ["git.git_log"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const log = await git.log({ repo_path: "/srv/web", max_count: 1 });
return log.includes("Mona");
