//! class: facts
//! kind: faulty
//! servers: github
//! fault: a call as the argument of another one has a wrong member
//! verdict: refused
//! provable: yes
//! says: ["body"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
const [first] = (await github.list_issues({ owner: "acme", repo: "web" }));
await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: first.number, comment: "seen" });
return first.number;
