//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: text-for-a-number
//! verdict: runs
//! value: "closed"
//! notes: none
//! calls: ["github.add_issue_comment", "github.update_issue"]
//! ----
await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: 12, body: "Done." });
const issue = await github.update_issue({ owner: "acme", repo: "web", issue_number: 12, state: "closed" });
return issue.state;
