//! class: functions
//! kind: good
//! servers: github
//! verdict: runs
//! value: ["Broken footer link"]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
async function titles(state: "open" | "closed"): Promise<string[]> {
  const issues = await github.list_issues({ owner: "acme", repo: "web", state });
  return issues.map((issue: { title: string }) => issue.title);
}
return await titles("closed");
