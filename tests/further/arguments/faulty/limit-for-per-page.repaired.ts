//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: limit-for-per-page
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", per_page: 5 });
return issues.length;
