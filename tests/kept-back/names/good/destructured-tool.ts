//! class: names
//! kind: good
//! servers: github
//! verdict: runs
//! value: 7
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const { list_issues: listIssues } = github;
const issues = await listIssues({ owner: "acme", repo: "web", state: "closed" });
return issues[0].number;
