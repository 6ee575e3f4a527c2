//! class: syntax
//! kind: repaired
//! servers: github
//! repairs: await-in-a-helper
//! verdict: runs
//! value: ["12: Login fails on Safari", "15: Dark mode"]
//! notes: none
//! calls: ["github.get_issue", "github.get_issue"]
//! ----
async function load(number) {
  const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: number });
  return `${issue.number}: ${issue.title}`;
}

return [await load(12), await load(15)];
