//! class: promises
//! kind: repaired
//! servers: github
//! repairs: length-of-a-promise
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["github.list_pull_requests"]
//! ----
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web", state: "open" });
return pulls.length;
