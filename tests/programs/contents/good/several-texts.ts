//! class: contents
//! kind: good
//! like: gpt
//! servers: git
//! looks: several text blocks are an array of texts
//! verdict: runs
//! value: {"count": 3, "newest": "Fix cart total"}
//! notes: none
//! calls: ["git.git_log"]
//! ----
const entries = await git.git_log({ repo_path: "/srv/web" });
const messages = entries.map((entry) => entry.match(/Message: (.*)/)[1]);
return { count: entries.length, newest: messages[0] };
