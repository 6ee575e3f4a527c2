//! class: names
//! kind: good
//! like: gpt
//! servers: github
//! looks: bare names that the program took out of the namespace itself
//! verdict: runs
//! value: 9003
//! notes: none
//! calls: ["github.get_issue", "github.add_issue_comment"]
//! ----
const { get_issue, add_issue_comment: comment } = github;
const issue = await get_issue({ owner: "acme", repo: "web", issue_number: 21 });
const { id } = await comment({ owner: "acme", repo: "web", issue_number: issue.number, body: "Reproduced." });
return id;
