//! class: facts
//! kind: repaired
//! servers: github
//! repairs: fault-in-a-loop
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["github.list_issues", "github.add_issue_comment", "github.add_issue_comment"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", labels: ["bug"] });
for (const issue of issues) {
  await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: issue.number, body: "Still there in 2.5?" });
}
return issues.length;
