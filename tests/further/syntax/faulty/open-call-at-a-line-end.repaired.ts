//! class: syntax
//! kind: repaired
//! servers: github
//! repairs: open-call-at-a-line-end
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
const open = issues.filter((issue) => issue.comments > 2)
return open.length;
