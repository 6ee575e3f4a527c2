//! class: fences
//! kind: repaired
//! servers: github
//! repairs: smart-quotes
//! verdict: runs
//! value: {"title": "Dark mode", "comments": 11}
//! notes: none
//! calls: ["github.get_issue"]
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 15 });
return { title: issue.title, comments: issue.comments };
