//! class: syntax
//! kind: faulty
//! servers: github
//! fault: a parenthesis is never closed at the end of a line
//! verdict: refused
//! provable: yes
//! calls: []
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
const open = issues.filter((issue) => issue.comments > 2
return open.length;
