//! class: arguments
//! kind: good
//! like: gpt
//! servers: github
//! looks: a wrong literal that a later spread replaces
//! verdict: runs
//! value: [7]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const wanted = { state: "closed" };
const issues = await github.list_issues({ state: "anything", owner: "acme", repo: "web", ...wanted });
return issues.map((issue) => issue.number);
