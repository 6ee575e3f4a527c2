//! class: arguments
//! kind: faulty
//! servers: github
//! fault: `per_page` is called `limit`
//! verdict: refused
//! provable: yes
//! says: ["per_page"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", limit: 5 });
return issues.length;
