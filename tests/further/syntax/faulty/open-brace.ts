//! class: syntax
//! kind: faulty
//! servers: github
//! fault: a brace is never closed
//! verdict: refused
//! provable: yes
//! calls: []
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
let comments = 0;
for (const issue of issues) {
  comments += issue.comments;

return comments;
