//! class: syntax
//! kind: repaired
//! servers: github
//! repairs: open-bracket
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["github.get_issue", "github.get_issue"]
//! ----
const numbers = [12, 15];
const issues = await Promise.all(numbers.map((issue_number) => github.get_issue({ owner: "acme", repo: "web", issue_number })));
return issues.length;
