//! class: envelopes
//! kind: repaired
//! servers: github
//! repairs: items-of-an-array
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["github.list_commits"]
//! ----
const commits = await github.list_commits({ owner: "acme", repo: "web", perPage: 10 });
const mine = commits.filter((commit) => commit.author.login === "mona");
return mine.length;
