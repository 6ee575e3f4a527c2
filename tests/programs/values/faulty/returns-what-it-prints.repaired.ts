//! class: values
//! kind: repaired
//! servers: github
//! repairs: returns-what-it-prints
//! verdict: runs
//! value: "12, 15, 21"
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.map((issue) => issue.number).join(", ");
