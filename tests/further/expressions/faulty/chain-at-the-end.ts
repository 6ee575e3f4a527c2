//! class: expressions
//! kind: faulty
//! servers: github
//! fault: the last statement is a chain of calls
//! verdict: noted
//! provable: no
//! value: [12, 15]
//! notes: any
//! calls: ["github.list_issues"]
//! repair: unneeded
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });

issues
  .filter((issue) => issue.comments > 2)
  .map((issue) => issue.number);
