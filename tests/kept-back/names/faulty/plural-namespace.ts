//! class: names
//! kind: faulty
//! servers: github
//! fault: the namespace is nearly right
//! verdict: refused
//! provable: yes
//! says: ["github.list_issues"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issues = await githubs.list_issues({ owner: "acme", repo: "web" });
return issues.length;
