//! class: names
//! kind: faulty
//! servers: github
//! fault: the whole path as a key of `tools`
//! verdict: refused
//! provable: yes
//! says: ["github.list_issues"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issues = await tools["github.list_issues"]({ owner: "acme", repo: "web" });
return issues.length;
