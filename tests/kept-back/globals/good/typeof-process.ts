//! class: globals
//! kind: good
//! servers: github
//! verdict: runs
//! value: "isolate: Dark mode"
//! notes: any
//! calls: ["github.get_issue"]
//! ----
const where = typeof process === "undefined" ? "isolate" : "node";
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 15 });
return `${where}: ${issue.title}`;
