//! class: values
//! kind: faulty
//! servers: github
//! fault: an iterator is returned
//! verdict: noted
//! provable: no
//! notes: ["Array.from"]
//! calls: ["github.list_issues"]
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return new Set(issues.map((issue) => issue.user.login)).values();
