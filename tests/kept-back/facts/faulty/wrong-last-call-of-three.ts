//! class: facts
//! kind: faulty
//! servers: github
//! fault: the third call has a member that does not exist
//! verdict: refused
//! provable: yes
//! says: ["status", "state"]
//! at: [3]
//! calls: []
//! repair: program
//! ----
const made = await github.create_issue({ owner: "acme", repo: "web", title: "Broken link" });
await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: 12, body: "See the new one." });
const closed = await github.update_issue({ owner: "acme", repo: "web", issue_number: 12, status: "closed" });
return [made.number, closed.state];
