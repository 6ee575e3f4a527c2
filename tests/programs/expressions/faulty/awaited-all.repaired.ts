//! class: expressions
//! kind: repaired
//! servers: github
//! repairs: awaited-all
//! verdict: runs
//! value: ["Login fails on Safari", "Dark mode"]
//! notes: none
//! calls: ["github.get_issue", "github.get_issue"]
//! ----
const numbers = [12, 15];
return await Promise.all(
  numbers.map((issue_number) =>
    github.get_issue({ owner: "acme", repo: "web", issue_number }).then((issue) => issue.title),
  ),
);
