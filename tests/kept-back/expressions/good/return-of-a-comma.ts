//! class: expressions
//! kind: good
//! servers: git
//! verdict: runs
//! value: "MONA"
//! notes: none
//! calls: ["git.git_log"]
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 1 });
let author;
return (author = /Author: (.*)/.exec(log)![1], author.toUpperCase());
