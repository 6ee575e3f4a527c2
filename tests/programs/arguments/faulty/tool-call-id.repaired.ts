//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: tool-call-id
//! verdict: runs
//! value: 4
//! notes: none
//! calls: ["github.get_issue"]
//! sends: [{"owner": "acme", "repo": "web", "issue_number": 12}]
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 12 });
return issue.comments;
