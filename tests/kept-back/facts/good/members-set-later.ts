//! class: facts
//! kind: good
//! servers: github
//! verdict: runs
//! value: 1
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const query: Record<string, unknown> = { owner: "acme" };
query.repo = "web";
query["state"] = "closed";
const issues = await github.list_issues(query);
return issues.length;
