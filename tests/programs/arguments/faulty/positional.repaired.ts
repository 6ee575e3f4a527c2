//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: positional
//! verdict: runs
//! value: {"total_count": 2, "state": "open"}
//! notes: none
//! calls: ["github.search_issues", "github.get_issue"]
//! ----
const { total_count } = await github.search_issues({ q: "repo:acme/web is:open" });
const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 12 });
return { total_count, state: issue.state };
