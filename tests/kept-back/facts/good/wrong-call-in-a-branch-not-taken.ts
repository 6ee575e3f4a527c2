//! class: facts
//! kind: good
//! servers: github
//! verdict: runs
//! value: 0
//! notes: any
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "empty" });
if (issues.length > 0) {
  await github.update_issue({ owner: "acme", repo: "empty", issue_number: 1, lables: ["urgent"] });
}
return issues.length;
