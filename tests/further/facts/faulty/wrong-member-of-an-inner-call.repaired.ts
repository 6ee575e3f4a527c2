//! class: facts
//! kind: repaired
//! servers: github
//! repairs: wrong-member-of-an-inner-call
//! verdict: runs
//! value: 12
//! notes: none
//! calls: ["github.list_issues", "github.add_issue_comment"]
//! ----
const [first] = (await github.list_issues({ owner: "acme", repo: "web" }));
await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: first.number, body: "seen" });
return first.number;
