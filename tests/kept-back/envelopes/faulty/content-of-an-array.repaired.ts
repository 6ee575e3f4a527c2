//! class: envelopes
//! kind: repaired
//! servers: github
//! repairs: content-of-an-array
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const result = await github.list_issues({ owner: "acme", repo: "web" });
const issues = result;
return issues.length;
