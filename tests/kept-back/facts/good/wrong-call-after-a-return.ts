//! class: facts
//! kind: good
//! servers: github
//! verdict: runs
//! value: 3
//! notes: any
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
if (issues.length < 100) return issues.length;
return (await github.list_all_issues({ owner: "acme" })).length;
