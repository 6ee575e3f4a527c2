//! class: facts
//! kind: faulty
//! like: qwen
//! servers: github
//! fault: a boolean in quotes, after a write
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["draft", "boolean"]
//! calls: []
//! repair: program
//! ----
const branch = await github.create_branch({ owner: "acme", repo: "web", branch: "feature/x", from_branch: "main" });
const pull = await github.create_pull_request({ owner: "acme", repo: "web", title: "X", head: "feature/x", base: "main", draft: "true" });
return [branch.ref, pull.number];
