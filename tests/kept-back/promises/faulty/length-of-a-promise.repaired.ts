//! class: promises
//! kind: repaired
//! servers: github
//! repairs: length-of-a-promise
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.filter((issue) => issue.comments > 3).length;
