//! class: syntax
//! kind: faulty
//! servers: github
//! fault: a comma is left out between two members
//! verdict: refused
//! provable: yes
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme" repo: "web" });
return issues.length;
