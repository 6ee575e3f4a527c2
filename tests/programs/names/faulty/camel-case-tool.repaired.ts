//! class: names
//! kind: repaired
//! servers: github
//! repairs: camel-case-tool
//! verdict: runs
//! value: {"ref": "refs/heads/release/2.5", "pull": 50}
//! notes: none
//! calls: ["github.create_branch", "github.create_pull_request"]
//! ----
const created = await github.create_branch({ owner: "acme", repo: "web", branch: "release/2.5", from_branch: "main" });
const pull = await github.create_pull_request({ owner: "acme", repo: "web", title: "Release 2.5", head: "release/2.5", base: "main" });
return { ref: created.ref, pull: pull.number };
