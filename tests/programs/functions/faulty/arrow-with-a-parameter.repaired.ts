//! class: functions
//! kind: repaired
//! servers: github
//! repairs: arrow-with-a-parameter
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
return await (async () => {
  const issues = await github.list_issues({ owner: "acme", repo: "web" });
  return issues.length;
})();
