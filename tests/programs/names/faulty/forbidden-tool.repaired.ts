//! class: names
//! kind: repaired
//! servers: github
//! deny: github.merge_pull_request
//! repairs: forbidden-tool
//! verdict: runs
//! value: {"mergeable": true}
//! notes: none
//! calls: ["github.get_pull_request"]
//! ----
const pull = await github.get_pull_request({ owner: "acme", repo: "web", pull_number: 31 });
return { mergeable: pull.mergeable };
