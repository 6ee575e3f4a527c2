//! class: arguments
//! kind: good
//! servers: github
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["github.get_issue"]
//! ----
const base = { owner: "acme", repo: "web", issue_number: "?" };
const issue = await github.get_issue({ ...base, issue_number: 21 });
return issue.labels.length;
