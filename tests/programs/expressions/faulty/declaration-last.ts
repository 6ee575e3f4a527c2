//! class: expressions
//! kind: faulty
//! like: qwen
//! servers: github
//! fault: the last statement declares the answer: it is no expression, so nothing is assumed
//! verdict: noted
//! provable: no
//! value: null
//! notes: ["returned nothing"]
//! calls: ["github.list_commits"]
//! repair: program
//! ----
const commits = await github.list_commits({ owner: "acme", repo: "web" });
const byAuthor: Record<string, number> = {};
for (const { author } of commits) byAuthor[author.login] = (byAuthor[author.login] ?? 0) + 1;
const result = Object.entries(byAuthor).sort((a, b) => b[1] - a[1]);
