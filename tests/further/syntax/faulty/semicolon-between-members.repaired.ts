//! class: syntax
//! kind: repaired
//! servers: github
//! repairs: semicolon-between-members
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.length;
