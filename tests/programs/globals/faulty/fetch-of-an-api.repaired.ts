//! class: globals
//! kind: repaired
//! servers: github
//! repairs: fetch-of-an-api
//! verdict: runs
//! value: 9003
//! notes: none
//! calls: ["github.get_issue", "github.add_issue_comment"]
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 21 });
const response = await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: issue.number, body: "Looking into it." });
return response.id;
