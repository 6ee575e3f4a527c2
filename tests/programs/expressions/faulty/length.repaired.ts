//! class: expressions
//! kind: repaired
//! servers: github
//! repairs: length
//! verdict: runs
//! value: 4
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", state: "all" });
return issues.length
