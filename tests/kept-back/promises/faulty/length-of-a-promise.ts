//! class: promises
//! kind: faulty
//! servers: github
//! fault: a member of a promise that was not awaited
//! verdict: fails
//! provable: no
//! says: ["await"]
//! at: [2]
//! calls: ["github.list_issues"]
//! repair: program
//! ----
const issues = github.list_issues({ owner: "acme", repo: "web" });
return issues.filter((issue) => issue.comments > 3).length;
