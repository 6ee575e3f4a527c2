//! class: facts
//! kind: repaired
//! servers: github
//! repairs: wrong-tool-in-a-for-of
//! verdict: runs
//! value: 17
//! notes: none
//! calls: ["github.list_issues"]
//! ----
let comments = 0;
for (const issue of await github.list_issues({ owner: "acme", repo: "web" })) {
  comments += issue.comments;
}
return comments;
