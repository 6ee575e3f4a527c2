//! class: facts
//! kind: repaired
//! servers: github
//! repairs: boolean-as-text
//! verdict: runs
//! value: ["refs/heads/release/2.5", 50]
//! notes: none
//! calls: ["github.create_branch", "github.create_pull_request"]
//! ----
const branch = await github.create_branch({ owner: "acme", repo: "web", branch: "feature/x", from_branch: "main" });
const pull = await github.create_pull_request({ owner: "acme", repo: "web", title: "X", head: "feature/x", base: "main", draft: true });
return [branch.ref, pull.number];
