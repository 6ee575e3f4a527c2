//! class: numbers
//! kind: good
//! servers: github
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const limit = 9007199254740991;
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.length < limit;
