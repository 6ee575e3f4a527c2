//! class: expressions
//! kind: repaired
//! servers: github
//! repairs: console-log-last
//! verdict: runs
//! value: "1 of 2 pull requests are drafts"
//! notes: none
//! calls: ["github.list_pull_requests"]
//! ----
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web" });
const drafts = pulls.filter((pull) => pull.draft);
return `${drafts.length} of ${pulls.length} pull requests are drafts`;
