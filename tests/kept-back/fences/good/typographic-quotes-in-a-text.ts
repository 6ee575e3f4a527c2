//! class: fences
//! kind: good
//! servers: github
//! verdict: runs
//! value: 40
//! notes: none
//! calls: ["github.create_issue"]
//! sends: [{"owner": "acme", "repo": "web", "title": "Use “real” quotes"}]
//! ----
const made = await github.create_issue({ owner: "acme", repo: "web", title: "Use “real” quotes" });
return made.number;
