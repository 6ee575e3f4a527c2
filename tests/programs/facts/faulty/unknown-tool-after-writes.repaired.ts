//! class: facts
//! kind: repaired
//! servers: github
//! repairs: unknown-tool-after-writes
//! verdict: runs
//! value: {"ref": "refs/heads/release/2.5", "commit": "d00d5ad", "pull": 50}
//! notes: none
//! calls: ["github.create_branch", "github.create_or_update_file", "github.create_pull_request"]
//! ----
const branch = await github.create_branch({ owner: "acme", repo: "web", branch: "release/2.5" });
const file = await github.create_or_update_file({
  owner: "acme", repo: "web", path: "CHANGELOG.md", branch: "release/2.5",
  content: "## 2.5\n", message: "Start 2.5",
});
const pull = await github.create_pull_request({ owner: "acme", repo: "web", title: "2.5", head: "release/2.5", base: "main" });
return { ref: branch.ref, commit: file.commit.sha, pull: pull.number };
