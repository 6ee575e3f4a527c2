//! class: names
//! kind: faulty
//! servers: github
//! fault: a function that calls tools by name
//! verdict: refused
//! provable: yes
//! says: ["github.list_issues"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issues = await callTool("github.list_issues", { owner: "acme", repo: "web" });
return issues.length;
