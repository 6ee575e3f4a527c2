//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: enum-in-capitals
//! verdict: runs
//! value: {"commits": 3, "issues": 3}
//! notes: none
//! calls: ["github.list_commits", "github.list_issues"]
//! ----
const commits = await github.list_commits({ owner: "acme", repo: "web" });
const issues = await github.list_issues({ owner: "acme", repo: "web", state: "open", sort: "created" });
return { commits: commits.length, issues: issues.length };
