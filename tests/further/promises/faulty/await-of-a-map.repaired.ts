//! class: promises
//! kind: repaired
//! servers: github
//! repairs: await-of-a-map
//! verdict: runs
//! value: ["Login fails on Safari", "Dark mode", "Crash on empty cart"]
//! notes: none
//! calls: ["github.list_issues", "github.get_issue", "github.get_issue", "github.get_issue"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
const details = await Promise.all(issues.map((issue) => github.get_issue({ owner: "acme", repo: "web", issue_number: issue.number })));
return details.map((detail) => detail.title);
