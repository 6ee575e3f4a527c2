//! class: names
//! kind: repaired
//! servers: github
//! repairs: rest-path
//! verdict: runs
//! value: "Login fails on Safari"
//! notes: none
//! calls: ["github.get_issue"]
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 12 });
return issue.title;
