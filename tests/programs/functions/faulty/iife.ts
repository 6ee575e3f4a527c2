//! class: functions
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: an immediately invoked function whose value nobody returns
//! verdict: noted
//! provable: no
//! value: {"issues": 3, "pulls": 2}
//! notes: ["return|value|expression"]
//! calls: ["github.list_issues", "github.list_pull_requests"]
//! repair: unneeded
//! ----
(async () => {
  const [issues, pulls] = await Promise.all([
    github.list_issues({ owner: "acme", repo: "web" }),
    github.list_pull_requests({ owner: "acme", repo: "web" }),
  ]);
  return { issues: issues.length, pulls: pulls.length };
})();
