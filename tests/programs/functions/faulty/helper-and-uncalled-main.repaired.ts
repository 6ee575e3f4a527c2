//! class: functions
//! kind: repaired
//! servers: github
//! repairs: helper-and-uncalled-main
//! verdict: runs
//! value: [21]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
function isUrgent(issue) {
  return issue.labels.some((label) => label.name === "urgent");
}

async function main() {
  const issues = await github.list_issues({ owner: "acme", repo: "web" });
  return issues.filter(isUrgent).map((issue) => issue.number);
}

return await main();
