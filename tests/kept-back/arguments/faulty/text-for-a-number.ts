//! class: arguments
//! kind: faulty
//! servers: github
//! fault: a text where a number is wanted, after a write
//! verdict: refused
//! provable: yes
//! says: ["issue_number"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: 12, body: "Done." });
const issue = await github.update_issue({ owner: "acme", repo: "web", issue_number: "12", state: "closed" });
return issue.state;
