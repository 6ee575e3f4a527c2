//! class: functions
//! kind: repaired
//! servers: github
//! repairs: iife
//! verdict: runs
//! value: {"issues": 3, "pulls": 2}
//! notes: none
//! calls: ["github.list_issues", "github.list_pull_requests"]
//! ----
return await (async () => {
  const [issues, pulls] = await Promise.all([
    github.list_issues({ owner: "acme", repo: "web" }),
    github.list_pull_requests({ owner: "acme", repo: "web" }),
  ]);
  return { issues: issues.length, pulls: pulls.length };
})();
