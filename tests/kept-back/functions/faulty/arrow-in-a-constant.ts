//! class: functions
//! kind: faulty
//! servers: github
//! fault: one arrow function in a constant, never called
//! verdict: noted
//! provable: no
//! value: 3
//! notes: any
//! calls: ["github.list_issues"]
//! repair: unneeded
//! ----
const countOpenIssues = async () => {
  const issues = await github.list_issues({ owner: "acme", repo: "web", state: "all" });
  return issues.filter((issue) => issue.state === "open").length;
};
