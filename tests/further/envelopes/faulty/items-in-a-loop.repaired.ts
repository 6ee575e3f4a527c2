//! class: envelopes
//! kind: repaired
//! servers: github
//! repairs: items-in-a-loop
//! verdict: runs
//! value: 17
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const reply = await github.list_issues({ owner: "acme", repo: "web" });
let comments = 0;
for (const issue of reply) {
  comments += issue.comments;
}
return comments;
