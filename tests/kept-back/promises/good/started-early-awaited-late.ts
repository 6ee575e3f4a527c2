//! class: promises
//! kind: good
//! servers: github
//! verdict: runs
//! value: {"issues": 3, "pulls": 2}
//! notes: none
//! calls: ["github.list_issues", "github.list_pull_requests"]
//! ----
const issues = github.list_issues({ owner: "acme", repo: "web" });
const pulls = github.list_pull_requests({ owner: "acme", repo: "web" });
return { issues: (await issues).length, pulls: (await pulls).length };
