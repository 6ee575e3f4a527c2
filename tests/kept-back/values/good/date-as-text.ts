//! class: values
//! kind: good
//! servers: github
//! verdict: runs
//! value: "2026-11-20T10:00:00.000Z"
//! notes: none
//! calls: ["github.list_commits"]
//! ----
const [commit] = await github.list_commits({ owner: "acme", repo: "web" });
return new Date(commit.commit.author.date).toISOString();
