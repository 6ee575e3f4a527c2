//! class: functions
//! kind: faulty
//! like: claude
//! servers: github
//! fault: a module that exports its program
//! verdict: noted
//! provable: no
//! value: {"open": 3, "commented": 17}
//! notes: ["call|function"]
//! calls: ["github.list_issues"]
//! repair: unneeded
//! ----
export default async function main(): Promise<{ open: number; commented: number }> {
  const issues = await github.list_issues({ owner: "acme", repo: "web", state: "open" });
  return {
    open: issues.length,
    commented: issues.reduce((sum: number, issue: any) => sum + issue.comments, 0),
  };
}
