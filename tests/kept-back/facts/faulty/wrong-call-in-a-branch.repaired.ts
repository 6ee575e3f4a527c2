//! class: facts
//! kind: repaired
//! servers: github
//! repairs: wrong-call-in-a-branch
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues", "github.update_issue"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
if (issues.length > 2) {
  await github.update_issue({ owner: "acme", repo: "web", issue_number: 21, labels: ["urgent"] });
}
return issues.length;
