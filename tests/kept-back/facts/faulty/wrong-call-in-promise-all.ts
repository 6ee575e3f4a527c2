//! class: facts
//! kind: faulty
//! servers: github
//! fault: one of several calls at once has no such tool
//! verdict: refused
//! provable: yes
//! says: ["github.list_pull_requests"]
//! at: [3]
//! calls: []
//! repair: program
//! ----
const [issues, pulls] = await Promise.all([
  github.list_issues({ owner: "acme", repo: "web" }),
  github.list_pulls({ owner: "acme", repo: "web" }),
]);
return issues.length + pulls.length;
