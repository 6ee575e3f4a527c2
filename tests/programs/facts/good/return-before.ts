//! class: facts
//! kind: good
//! like: gpt
//! servers: github
//! looks: a wrong member after an early return that is taken
//! verdict: runs
//! value: {"issues": 0}
//! notes: any
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "empty" });
if (issues.length === 0) return { issues: 0 };
const first = await github.get_issue({ owner: "acme", repo: "empty", number: issues[0].number });
return { issues: issues.length, first: first.title };
