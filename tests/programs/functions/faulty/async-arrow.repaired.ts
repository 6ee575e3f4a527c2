//! class: functions
//! kind: repaired
//! servers: github
//! repairs: async-arrow
//! verdict: runs
//! value: ["Login fails on Safari", "Dark mode", "Crash on empty cart"]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
return await (async () => {
  const issues = await github.list_issues({ owner: "acme", repo: "web" });
  return issues.map((issue) => issue.title);
})();
