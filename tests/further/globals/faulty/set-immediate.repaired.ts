//! class: globals
//! kind: repaired
//! servers: github
//! repairs: set-immediate
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
await new Promise((done) => setTimeout(done));
return issues.length;
