//! class: globals
//! kind: good
//! like: gpt
//! servers: github
//! looks: the program's own `fetch`
//! verdict: runs
//! value: [{"number": 12, "title": "Login fails on Safari"}, {"number": 21, "title": "Crash on empty cart"}]
//! notes: none
//! calls: ["github.get_issue", "github.get_issue"]
//! ----
async function fetch(number: number) {
  const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: number });
  return { number, title: issue.title };
}

return await Promise.all([12, 21].map(fetch));
