//! class: arguments
//! kind: faulty
//! like: llama
//! servers: github
//! fault: arguments by position, after a call that is right
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["owner", "repo", "issue_number"]
//! calls: []
//! repair: program
//! ----
const { total_count } = await github.search_issues({ q: "repo:acme/web is:open" });
const issue = await github.get_issue("acme", "web", 12);
return { total_count, state: issue.state };
