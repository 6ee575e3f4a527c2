//! class: globals
//! kind: repaired
//! servers: github
//! repairs: import-of-the-tools
//! verdict: runs
//! value: [12, 15]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.filter((issue) => issue.comments > 3).map((issue) => issue.number);
