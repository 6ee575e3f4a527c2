//! class: names
//! kind: faulty
//! like: qwen
//! servers: github
//! fault: a letter is missing in the namespace
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["github.get_pull_request_comments"]
//! calls: []
//! repair: program
//! ----
const { items } = await github.search_issues({ q: "repo:acme/web is:open" });
const comments = await githb.get_pull_request_comments({ owner: "acme", repo: "web", pull_number: 31 });
return { open: items.length, comments: comments.map((comment) => comment.body) };
