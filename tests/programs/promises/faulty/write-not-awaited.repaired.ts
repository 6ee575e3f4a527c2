//! class: promises
//! kind: repaired
//! servers: github
//! repairs: write-not-awaited
//! verdict: runs
//! value: "asked on #12"
//! notes: none
//! calls: ["github.get_issue", "github.add_issue_comment"]
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 12 });
await github.add_issue_comment({ owner: "acme", repo: "web", issue_number: issue.number, body: "Can you still reproduce this?" });
return `asked on #${issue.number}`;
