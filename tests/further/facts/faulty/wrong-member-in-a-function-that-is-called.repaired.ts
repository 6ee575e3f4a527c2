//! class: facts
//! kind: repaired
//! servers: github
//! repairs: wrong-member-in-a-function-that-is-called
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const load = async () => github.list_issues({ owner: "acme", repo: "web" });
const issues = await load();
return issues.length;
