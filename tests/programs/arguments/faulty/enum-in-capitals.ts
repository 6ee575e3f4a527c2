//! class: arguments
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: a value that is not one of those listed, but for its case
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["state", "open"]
//! calls: []
//! repair: program
//! ----
const commits = await github.list_commits({ owner: "acme", repo: "web" });
const issues = await github.list_issues({ owner: "acme", repo: "web", state: "OPEN", sort: "created" });
return { commits: commits.length, issues: issues.length };
