//! class: facts
//! kind: repaired
//! servers: github
//! repairs: fault-in-a-taken-branch
//! verdict: runs
//! value: 21
//! notes: none
//! calls: ["github.get_issue", "github.update_issue"]
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 21 });
if (issue.assignees.length === 0) {
  await github.update_issue({ owner: "acme", repo: "web", issue_number: issue.number, assignees: ["hubot"] });
}
return issue.number;
