//! class: values
//! kind: repaired
//! servers: github
//! repairs: iterator-returned
//! verdict: runs
//! value: ["mona", "octo"]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return Array.from(new Set(issues.map((issue) => issue.user.login)).values());
