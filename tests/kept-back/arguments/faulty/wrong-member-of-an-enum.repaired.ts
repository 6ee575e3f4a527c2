//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: wrong-member-of-an-enum
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", state: "open" });
return issues.length;
