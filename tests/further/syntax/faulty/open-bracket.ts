//! class: syntax
//! kind: faulty
//! servers: github
//! fault: a bracket is never closed
//! verdict: refused
//! provable: yes
//! at: [1]
//! calls: []
//! repair: program
//! ----
const numbers = [12, 15;
const issues = await Promise.all(numbers.map((issue_number) => github.get_issue({ owner: "acme", repo: "web", issue_number })));
return issues.length;
