//! class: expressions
//! kind: repaired
//! servers: github
//! repairs: declaration-last
//! verdict: runs
//! value: [["mona", 2], ["hubot", 1]]
//! notes: none
//! calls: ["github.list_commits"]
//! ----
const commits = await github.list_commits({ owner: "acme", repo: "web" });
const byAuthor: Record<string, number> = {};
for (const { author } of commits) byAuthor[author.login] = (byAuthor[author.login] ?? 0) + 1;
const result = Object.entries(byAuthor).sort((a, b) => b[1] - a[1]);
return result;
