//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: null-for-absent
//! verdict: runs
//! value: {"commits": 3, "pulls": 2}
//! notes: none
//! calls: ["github.list_commits", "github.list_pull_requests"]
//! ----
const commits = await github.list_commits({ owner: "acme", repo: "web" });
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web", state: "open" });
return { commits: commits.length, pulls: pulls.length };
