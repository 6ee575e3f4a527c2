//! class: expressions
//! kind: faulty
//! like: claude
//! servers: github
//! fault: the last statement awaits what should have been returned
//! verdict: noted
//! provable: no
//! value: ["Login fails on Safari", "Dark mode"]
//! notes: ["return|expression|last"]
//! calls: ["github.get_issue", "github.get_issue"]
//! repair: unneeded
//! ----
const numbers = [12, 15];
await Promise.all(
  numbers.map((issue_number) =>
    github.get_issue({ owner: "acme", repo: "web", issue_number }).then((issue) => issue.title),
  ),
);
