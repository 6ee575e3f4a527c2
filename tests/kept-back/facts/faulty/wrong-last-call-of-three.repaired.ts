//! class: facts
//! kind: repaired
//! servers: github
//! repairs: wrong-last-call-of-three
//! verdict: runs
//! value: [40, "closed"]
//! notes: none
//! calls: ["github.create_issue", "github.add_issue_comment", "github.update_issue"]
//! ----
const made = await github.create_issue({ owner: "acme", repo: "web", title: "Broken link" });
await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: 12, body: "See the new one." });
const closed = await github.update_issue({ owner: "acme", repo: "web", issue_number: 12, state: "closed" });
return [made.number, closed.state];
