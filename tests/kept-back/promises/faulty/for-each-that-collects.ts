//! class: promises
//! kind: faulty
//! servers: github
//! fault: `forEach` with an async function
//! verdict: noted
//! provable: no
//! value: ["Broken footer link", "Login fails on Safari"]
//! notes: any
//! calls: ["github.get_issue", "github.get_issue"]
//! repair: unneeded
//! ----
const titles = [];
[7, 12].forEach(async (number) => {
  const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: number });
  titles.push(issue.title);
});
return titles;
