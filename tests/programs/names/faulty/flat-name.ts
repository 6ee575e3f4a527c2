//! class: names
//! kind: faulty
//! like: claude
//! servers: github
//! fault: the name as a classic MCP client shows it, after a call that is right
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["github.add_issue_comment"]
//! calls: []
//! repair: program
//! ----
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 15 });
await github__add_issue_comment({
  owner: "acme",
  repo: "web",
  issue_number: issue.number,
  body: "Planned for 2.6.",
});
return "commented on " + issue.title;
