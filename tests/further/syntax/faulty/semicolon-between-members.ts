//! class: syntax
//! kind: faulty
//! servers: github
//! fault: members are parted by semicolons
//! verdict: refused
//! provable: yes
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme"; repo: "web" });
return issues.length;
