//! class: arguments
//! kind: faulty
//! servers: github
//! fault: positional arguments
//! verdict: refused
//! provable: yes
//! says: ["one object"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issue = await github.get_issue("acme", "web", 12);
return issue.title;
