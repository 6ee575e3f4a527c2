//! class: values
//! kind: good
//! like: gemini
//! servers: github
//! looks: zero, an empty text, `false`, an empty array and `null` are values
//! verdict: runs
//! value: [0, "", false, [], null]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "empty" });
return [issues.length, issues.map((issue) => issue.title).join(", "), issues.some((issue) => issue.comments > 0), issues, null];
