//! class: names
//! kind: repaired
//! servers: github
//! repairs: flat-name
//! verdict: runs
//! value: "commented on Dark mode"
//! notes: none
//! calls: ["github.get_issue", "github.add_issue_comment"]
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 15 });
await github.add_issue_comment({
  owner: "acme",
  repo: "web",
  issue_number: issue.number,
  body: "Planned for 2.6.",
});
return "commented on " + issue.title;
