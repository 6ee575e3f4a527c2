//! class: facts
//! kind: faulty
//! like: claude
//! servers: github
//! fault: a wrong member in a branch: not every execution gets there, so it is found when this one does
//! verdict: fails
//! provable: no
//! at: [3]
//! says: ["issue_number"]
//! calls: ["github.get_issue"]
//! completed: ["github.get_issue"]
//! repair: program
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 21 });
if (issue.assignees.length === 0) {
  await github.update_issue({ owner: "acme", repo: "web", number: issue.number, assignees: ["hubot"] });
}
return issue.number;
