//! class: envelopes
//! kind: faulty
//! servers: github
//! fault: a list is looked for in a list
//! verdict: fails
//! provable: no
//! calls: ["github.list_issues"]
//! repair: program
//! ----
const reply = await github.list_issues({ owner: "acme", repo: "web" });
let comments = 0;
for (const issue of reply.items) {
  comments += issue.comments;
}
return comments;
