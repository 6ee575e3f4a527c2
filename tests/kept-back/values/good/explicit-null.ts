//! class: values
//! kind: good
//! servers: github
//! verdict: runs
//! value: null
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "empty" });
return issues[0] ?? null;
