//! class: arguments
//! kind: faulty
//! servers: github
//! fault: a member that transports add
//! verdict: noted
//! provable: no
//! value: 3
//! notes: any
//! calls: ["github.list_issues"]
//! sends: [{"owner": "acme", "repo": "web"}]
//! repair: unneeded
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", _meta: { progressToken: 1 } });
return issues.length;
