//! class: values
//! kind: good
//! servers: github
//! verdict: runs
//! value: {"12": 4, "15": 11, "21": 2}
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return Object.fromEntries(issues.map((issue) => [issue.number, issue.comments]));
