//! class: promises
//! kind: faulty
//! like: llama
//! servers: github
//! fault: a write that nobody awaits: it is made, and said
//! verdict: noted
//! provable: no
//! value: "asked on #12"
//! notes: ["not awaited", "github.add_issue_comment"]
//! calls: ["github.get_issue", "github.add_issue_comment"]
//! repair: unneeded
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 12 });
github.add_issue_comment({ owner: "acme", repo: "web", issue_number: issue.number, body: "Can you still reproduce this?" });
return `asked on #${issue.number}`;
