//! class: syntax
//! kind: faulty
//! like: qwen
//! servers: git
//! fault: a backtick before the first word
//! verdict: refused
//! provable: yes
//! says: ["backtick"]
//! calls: []
//! repair: program
//! ----
`const log = await git.git_log({ repo_path: "/srv/web", max_count: 2 });
return log.length;
