//! class: functions
//! kind: repaired
//! servers: github
//! repairs: export-default-function
//! verdict: runs
//! value: {"open": 3, "commented": 17}
//! notes: none
//! calls: ["github.list_issues"]
//! ----
async function main(): Promise<{ open: number; commented: number }> {
  const issues = await github.list_issues({ owner: "acme", repo: "web", state: "open" });
  return {
    open: issues.length,
    commented: issues.reduce((sum: number, issue: any) => sum + issue.comments, 0),
  };
}
return await main();
