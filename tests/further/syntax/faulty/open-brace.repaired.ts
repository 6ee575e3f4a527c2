//! class: syntax
//! kind: repaired
//! servers: github
//! repairs: open-brace
//! verdict: runs
//! value: 17
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
let comments = 0;
for (const issue of issues) {
  comments += issue.comments;
}
return comments;
