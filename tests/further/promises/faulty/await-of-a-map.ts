//! class: promises
//! kind: faulty
//! servers: github
//! fault: an array of promises is awaited
//! verdict: noted
//! provable: no
//! notes: ["Promise.all|await"]
//! calls: ["github.list_issues", "github.get_issue", "github.get_issue", "github.get_issue"]
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
const details = await issues.map((issue) => github.get_issue({ owner: "acme", repo: "web", issue_number: issue.number }));
return details.map((detail) => detail.title);
