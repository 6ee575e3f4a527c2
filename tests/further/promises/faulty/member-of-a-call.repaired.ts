//! class: promises
//! kind: repaired
//! servers: github
//! repairs: member-of-a-call
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
return (await github.list_issues({ owner: "acme", repo: "web" })).length;
