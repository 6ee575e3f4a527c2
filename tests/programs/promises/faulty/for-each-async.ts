//! class: promises
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: `forEach` with an `async` callback: the run goes on until its calls are answered, and the value is made then
//! verdict: noted
//! provable: no
//! value: [{"number": 12, "lines": 3}, {"number": 15, "lines": 1}, {"number": 21, "lines": 1}]
//! notes: ["not awaited", "github.get_issue"]
//! calls: ["github.list_issues", "github.get_issue", "github.get_issue", "github.get_issue"]
//! repair: unneeded
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
const details = [];
issues.forEach(async (issue) => {
  const detail = await github.get_issue({ owner: "acme", repo: "web", issue_number: issue.number });
  details.push({ number: detail.number, lines: detail.body.split("\n").length });
});
return details;
