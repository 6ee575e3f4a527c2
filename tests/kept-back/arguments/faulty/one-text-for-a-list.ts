//! class: arguments
//! kind: faulty
//! servers: github
//! fault: a text where a list is wanted
//! verdict: refused
//! provable: yes
//! says: ["labels", "array"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", labels: "bug" });
return issues.map((issue) => issue.number);
