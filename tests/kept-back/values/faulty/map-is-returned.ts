//! class: values
//! kind: faulty
//! servers: github
//! fault: a `Map` is returned
//! verdict: noted
//! provable: no
//! notes: any
//! calls: ["github.list_issues"]
//! repair: unneeded
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return new Map(issues.map((issue) => [issue.number, issue.title]));
