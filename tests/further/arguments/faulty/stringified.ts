//! class: arguments
//! kind: faulty
//! servers: github
//! fault: the arguments are one text of JSON
//! verdict: fails
//! provable: no
//! says: ["object"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const issue = await github.get_issue(JSON.stringify({ owner: "acme", repo: "web", issue_number: 12 }));
return issue.title;
