//! class: envelopes
//! kind: faulty
//! servers: github
//! fault: a member that there is not is taken under another name
//! verdict: fails
//! provable: no
//! calls: ["github.list_issues"]
//! repair: program
//! ----
const { items: issues } = await github.list_issues({ owner: "acme", repo: "web" });
return issues.length;
