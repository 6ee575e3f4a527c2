//! class: names
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: looks for the namespace under `tools`
//! verdict: refused
//! provable: yes
//! at: [1]
//! says: ["github.get_issue"]
//! calls: []
//! repair: program
//! ----
const issue = await tools.github.get_issue({ owner: "acme", repo: "web", issue_number: 12 });
return issue.title;
