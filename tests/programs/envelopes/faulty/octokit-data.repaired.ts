//! class: envelopes
//! kind: repaired
//! servers: github
//! repairs: octokit-data
//! verdict: runs
//! value: ["Fix Safari login", "Dark theme, first part"]
//! notes: none
//! calls: ["github.list_pull_requests"]
//! ----
const data = await github.list_pull_requests({ owner: "acme", repo: "web", state: "open" });
return data.map((pull) => pull.title);
