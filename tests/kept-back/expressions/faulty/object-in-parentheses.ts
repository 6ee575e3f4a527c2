//! class: expressions
//! kind: faulty
//! servers: github
//! fault: the last statement is an object in parentheses
//! verdict: noted
//! provable: no
//! value: {"open": 3, "first": 12}
//! notes: any
//! calls: ["github.list_issues"]
//! repair: unneeded
//! ----
const open = await github.list_issues({ owner: "acme", repo: "web" });
({ open: open.length, first: open[0].number });
