//! class: values
//! kind: good
//! servers: github
//! looks: an iterator that is spread
//! verdict: runs
//! value: ["mona", "octo"]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return [...new Set(issues.map((issue) => issue.user.login)).values()];
