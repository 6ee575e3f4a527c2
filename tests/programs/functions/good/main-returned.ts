//! class: functions
//! kind: good
//! like: gpt
//! servers: github
//! looks: a `main` that is called, awaited and returned
//! verdict: runs
//! value: ["hubot"]
//! notes: none
//! calls: ["github.get_issue"]
//! ----
async function main() {
  const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 12 });
  return issue.assignees.map((assignee) => assignee.login);
}
return await main();
