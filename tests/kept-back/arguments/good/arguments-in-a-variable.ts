//! class: arguments
//! kind: good
//! servers: github
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const query = { owner: "acme", repo: "web" };
const issues = await github.list_issues(query);
return issues.length;
