//! class: facts
//! kind: good
//! like: claude
//! servers: github
//! looks: a tool that does not exist, in a branch that is not taken
//! verdict: runs
//! value: 3
//! notes: any
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
if (issues.length > 1000) {
  await github.archive_repository({ owner: "acme" });
  return "archived";
}
return issues.length;
