//! class: envelopes
//! kind: faulty
//! like: gemini
//! servers: github
//! fault: takes `items` out of an array
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["already", "github.list_commits"]
//! calls: ["github.list_commits"]
//! completed: ["github.list_commits"]
//! repair: program
//! ----
const commits = await github.list_commits({ owner: "acme", repo: "web", perPage: 10 });
const mine = commits.items.filter((commit) => commit.author.login === "mona");
return mine.length;
