//! class: syntax
//! kind: faulty
//! servers: github
//! fault: a comment as in Python and shells
//! verdict: refused
//! provable: yes
//! at: [1]
//! calls: []
//! repair: program
//! ----
# the open issues
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.length;
