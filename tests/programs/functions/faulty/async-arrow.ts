//! class: functions
//! kind: faulty
//! like: claude
//! servers: github
//! fault: the program is one async arrow function, never called
//! verdict: noted
//! provable: no
//! value: ["Login fails on Safari", "Dark mode", "Crash on empty cart"]
//! notes: ["call|function"]
//! calls: ["github.list_issues"]
//! repair: unneeded
//! ----
async () => {
  const issues = await github.list_issues({ owner: "acme", repo: "web" });
  return issues.map((issue) => issue.title);
}
