//! class: arguments
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: a required property is left out, after a write
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["message"]
//! calls: []
//! repair: program
//! ----
const branch = await github.create_branch({ owner: "acme", repo: "web", branch: "release/2.5" });
const file = await github.create_or_update_file({
  owner: "acme",
  repo: "web",
  path: "CHANGELOG.md",
  content: "## 2.5\n",
  branch: "release/2.5",
});
return { ref: branch.ref, sha: file.commit.sha };
