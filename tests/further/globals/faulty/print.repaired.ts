//! class: globals
//! kind: repaired
//! servers: github
//! repairs: print
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
console.log(issues.length);
return issues.length;
