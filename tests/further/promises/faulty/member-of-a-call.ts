//! class: promises
//! kind: faulty
//! servers: github
//! fault: a member of a call that is not awaited
//! verdict: noted
//! provable: no
//! notes: ["await"]
//! calls: ["github.list_issues"]
//! repair: program
//! ----
return github.list_issues({ owner: "acme", repo: "web" }).length;
