//! class: syntax
//! kind: repaired
//! servers: github
//! repairs: reserved-name
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const new_ = (await github.list_issues({ owner: "acme", repo: "web" })).filter((issue) => issue.comments < 5);
return new_.length;
