//! class: contents
//! kind: faulty
//! like: gpt
//! servers: git
//! fault: a reply of several text blocks is an array, taken for one text
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["git.git_log", "array|list"]
//! calls: ["git.git_log"]
//! completed: ["git.git_log"]
//! repair: program
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 3 });
const authors = log.split("\n").filter((line) => line.startsWith("Author:"));
return authors.map((line) => line.slice(8));
