//! class: promises
//! kind: good
//! servers: github
//! looks: promises are collected first
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues", "github.get_issue", "github.get_issue", "github.get_issue"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
const waiting = issues.map((issue) => github.get_issue({ owner: "acme", repo: "web", issue_number: issue.number }));
const details = await Promise.all(waiting);
return details.length;
