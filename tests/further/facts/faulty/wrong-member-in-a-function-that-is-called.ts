//! class: facts
//! kind: faulty
//! servers: github
//! fault: a function that is called at once has a wrong member
//! verdict: refused
//! provable: yes
//! at: [1]
//! calls: []
//! repair: program
//! ----
const load = async () => github.list_issues({ owner: "acme", repos: "web" });
const issues = await load();
return issues.length;
