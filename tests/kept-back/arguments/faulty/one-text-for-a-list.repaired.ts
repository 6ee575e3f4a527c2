//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: one-text-for-a-list
//! verdict: runs
//! value: [12, 21]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", labels: ["bug"] });
return issues.map((issue) => issue.number);
