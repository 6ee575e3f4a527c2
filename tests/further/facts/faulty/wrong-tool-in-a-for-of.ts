//! class: facts
//! kind: faulty
//! servers: github
//! fault: the list that is gone through comes from a tool that does not exist
//! verdict: refused
//! provable: yes
//! at: [2]
//! calls: []
//! repair: program
//! ----
let comments = 0;
for (const issue of await github.list_isues({ owner: "acme", repo: "web" })) {
  comments += issue.comments;
}
return comments;
