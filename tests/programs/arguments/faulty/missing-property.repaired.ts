//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: missing-property
//! verdict: runs
//! value: {"ref": "refs/heads/release/2.5", "sha": "d00d5ad"}
//! notes: none
//! calls: ["github.create_branch", "github.create_or_update_file"]
//! ----
const branch = await github.create_branch({ owner: "acme", repo: "web", branch: "release/2.5" });
const file = await github.create_or_update_file({
  owner: "acme",
  repo: "web",
  path: "CHANGELOG.md",
  content: "## 2.5\n",
  message: "Update the changelog",
  branch: "release/2.5",
});
return { ref: branch.ref, sha: file.commit.sha };
