//! class: names
//! kind: faulty
//! servers: github
//! fault: a path of three names, as in a library
//! verdict: refused
//! provable: yes
//! says: ["github.list_issues"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issues = await github.issues.list({ owner: "acme", repo: "web" });
return issues.length;
