//! class: names
//! kind: repaired
//! servers: github
//! repairs: path-as-a-key-of-tools
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.length;
