//! class: syntax
//! kind: repaired
//! servers: github
//! repairs: await-in-map
//! verdict: runs
//! value: ["Broken footer link", "Login fails on Safari"]
//! notes: none
//! calls: ["github.get_issue", "github.get_issue"]
//! ----
const numbers = [7, 12];
const titles = numbers.map(async (number) => {
  const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: number });
  return issue.title;
});
return await Promise.all(titles);
