//! class: arguments
//! kind: faulty
//! servers: github
//! fault: a word that the enumeration does not have
//! verdict: refused
//! provable: yes
//! says: ["state", "open"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", state: "opened" });
return issues.length;
