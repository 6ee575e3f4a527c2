//! class: expressions
//! kind: good
//! like: claude
//! servers: github
//! looks: `null` is what the program means: none was found
//! verdict: runs
//! value: null
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", state: "open" });
const blocked = issues.find((issue) => issue.labels.some((label) => label.name === "blocked"));
return blocked ?? null;
