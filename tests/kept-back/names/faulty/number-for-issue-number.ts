//! class: names
//! kind: faulty
//! servers: github
//! fault: `number` for `issue_number`, after a write
//! verdict: refused
//! provable: yes
//! says: ["issue_number"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: 12, body: "Closing." });
const closed = await github.update_issue({ owner: "acme", repo: "web", number: 12, state: "closed" });
return closed.state;
