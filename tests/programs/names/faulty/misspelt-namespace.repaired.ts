//! class: names
//! kind: repaired
//! servers: github
//! repairs: misspelt-namespace
//! verdict: runs
//! value: {"open": 2, "comments": ["Why not await here?"]}
//! notes: none
//! calls: ["github.search_issues", "github.get_pull_request_comments"]
//! ----
const { items } = await github.search_issues({ q: "repo:acme/web is:open" });
const comments = await github.get_pull_request_comments({ owner: "acme", repo: "web", pull_number: 31 });
return { open: items.length, comments: comments.map((comment) => comment.body) };
