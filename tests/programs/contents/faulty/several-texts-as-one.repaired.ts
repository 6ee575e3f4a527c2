//! class: contents
//! kind: repaired
//! servers: git
//! repairs: several-texts-as-one
//! verdict: runs
//! value: ["Mona", "Hubot", "Mona"]
//! notes: none
//! calls: ["git.git_log"]
//! ----
const log = await git.git_log({ repo_path: "/srv/web", max_count: 3 });
const authors = log.join("\n").split("\n").filter((line) => line.startsWith("Author:"));
return authors.map((line) => line.slice(8));
