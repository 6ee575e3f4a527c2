//! class: promises
//! kind: faulty
//! servers: github
//! fault: a write that nobody awaits
//! verdict: noted
//! provable: no
//! value: "said"
//! notes: ["github.add_issue_comment"]
//! calls: ["github.add_issue_comment"]
//! repair: unneeded
//! ----
github.add_issue_comment({ owner: "acme", repo: "web", issue_number: 15, body: "Soon." });
return "said";
