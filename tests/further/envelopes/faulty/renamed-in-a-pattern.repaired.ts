//! class: envelopes
//! kind: repaired
//! servers: github
//! repairs: renamed-in-a-pattern
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.length;
