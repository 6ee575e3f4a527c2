//! class: expressions
//! kind: good
//! servers: github
//! looks: a return on each path
//! verdict: runs
//! value: "few"
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
if (issues.length > 5) return "many";
return "few";
