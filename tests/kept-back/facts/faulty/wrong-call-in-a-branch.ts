//! class: facts
//! kind: faulty
//! servers: github
//! fault: a wrong call in a branch that is taken: nothing can know that before
//! verdict: fails
//! provable: no
//! says: ["lables", "labels"]
//! at: [3]
//! calls: ["github.list_issues"]
//! completed: ["github.list_issues"]
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
if (issues.length > 2) {
  await github.update_issue({ owner: "acme", repo: "web", issue_number: 21, lables: ["urgent"] });
}
return issues.length;
