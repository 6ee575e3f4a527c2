//! class: functions
//! kind: faulty
//! like: qwen
//! servers: github
//! fault: two functions of which neither is called: no one function is the whole program, so nothing is assumed
//! verdict: noted
//! provable: no
//! value: null
//! notes: ["returned nothing", "main"]
//! calls: []
//! repair: program
//! ----
function isUrgent(issue) {
  return issue.labels.some((label) => label.name === "urgent");
}

async function main() {
  const issues = await github.list_issues({ owner: "acme", repo: "web" });
  return issues.filter(isUrgent).map((issue) => issue.number);
}
