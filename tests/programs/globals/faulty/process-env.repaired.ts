//! class: globals
//! kind: repaired
//! servers: github
//! repairs: process-env
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["github.search_users", "github.list_issues"]
//! ----
const user = await github.search_users({ q: "mona" });
const owner = "acme";
const issues = await github.list_issues({ owner, repo: "web" });
return issues.filter((issue) => issue.user.login === user.items[0].login).length;
