//! class: syntax
//! kind: repaired
//! servers: github
//! repairs: comment-with-a-hash
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
// the open issues
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return issues.length;
