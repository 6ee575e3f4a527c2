//! class: names
//! kind: faulty
//! servers: github
//! fault: a path of four names, as in a library
//! verdict: refused
//! provable: yes
//! says: ["github.get_issue"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issue = await github.rest.issues.get({ owner: "acme", repo: "web", issue_number: 12 });
return issue.title;
