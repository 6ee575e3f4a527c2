//! class: names
//! kind: repaired
//! servers: github
//! repairs: number-for-issue-number
//! verdict: runs
//! value: "closed"
//! notes: none
//! calls: ["github.add_issue_comment", "github.update_issue"]
//! ----
await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: 12, body: "Closing." });
const closed = await github.update_issue({ owner: "acme", repo: "web", issue_number: 12, state: "closed" });
return closed.state;
