//! class: promises
//! kind: repaired
//! servers: github
//! repairs: for-each-async
//! verdict: runs
//! value: [{"number": 12, "lines": 3}, {"number": 15, "lines": 1}, {"number": 21, "lines": 1}]
//! notes: none
//! calls: ["github.list_issues", "github.get_issue", "github.get_issue", "github.get_issue"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
const details = [];
for (const issue of issues) {
  const detail = await github.get_issue({ owner: "acme", repo: "web", issue_number: issue.number });
  details.push({ number: detail.number, lines: detail.body.split("\n").length });
}
return details;
