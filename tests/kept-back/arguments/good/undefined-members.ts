//! class: arguments
//! kind: good
//! servers: github
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! sends: [{"owner": "acme", "repo": "web"}]
//! ----
const label: string | undefined = undefined;
const issues = await github.list_issues({ owner: "acme", repo: "web", labels: label ? [label] : undefined });
return issues.length;
