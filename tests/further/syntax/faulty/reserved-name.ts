//! class: syntax
//! kind: faulty
//! servers: github
//! fault: a variable is called `new`
//! verdict: refused
//! provable: yes
//! at: [1]
//! calls: []
//! repair: program
//! ----
const new = (await github.list_issues({ owner: "acme", repo: "web" })).filter((issue) => issue.comments < 5);
return new.length;
