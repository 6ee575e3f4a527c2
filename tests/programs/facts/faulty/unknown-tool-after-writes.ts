//! class: facts
//! kind: faulty
//! like: gemini
//! servers: github
//! fault: a tool that does not exist, as the third step: two writes would be left behind
//! verdict: refused
//! provable: yes
//! at: [6]
//! says: ["github.open_pull_request|open_pull_request", "github.create_pull_request"]
//! calls: []
//! repair: program
//! ----
const branch = await github.create_branch({ owner: "acme", repo: "web", branch: "release/2.5" });
const file = await github.create_or_update_file({
  owner: "acme", repo: "web", path: "CHANGELOG.md", branch: "release/2.5",
  content: "## 2.5\n", message: "Start 2.5",
});
const pull = await github.open_pull_request({ owner: "acme", repo: "web", title: "2.5", head: "release/2.5", base: "main" });
return { ref: branch.ref, commit: file.commit.sha, pull: pull.number };
