//! class: facts
//! kind: faulty
//! like: llama
//! servers: github
//! fault: a missing property in a loop over what a call gave: the loop may not run, so it is found when it does
//! verdict: fails
//! provable: no
//! at: [3]
//! says: ["repo"]
//! calls: ["github.list_issues"]
//! completed: ["github.list_issues"]
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", labels: ["bug"] });
for (const issue of issues) {
  await github.add_issue_comment({ owner: "acme", issue_number: issue.number, body: "Still there in 2.5?" });
}
return issues.length;
