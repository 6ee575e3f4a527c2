//! class: fences
//! kind: repaired
//! servers: github
//! repairs: typescript-fence
//! verdict: runs
//! value: [12, 21]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
const bugs = issues.filter((issue) => issue.labels.some((label) => label.name === "bug"));
return bugs.map((issue) => issue.number);
