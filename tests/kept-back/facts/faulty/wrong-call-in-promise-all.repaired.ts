//! class: facts
//! kind: repaired
//! servers: github
//! repairs: wrong-call-in-promise-all
//! verdict: runs
//! value: 5
//! notes: none
//! calls: ["github.list_issues", "github.list_pull_requests"]
//! ----
const [issues, pulls] = await Promise.all([
  github.list_issues({ owner: "acme", repo: "web" }),
  github.list_pull_requests({ owner: "acme", repo: "web" }),
]);
return issues.length + pulls.length;
