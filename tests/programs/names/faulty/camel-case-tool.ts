//! class: names
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: a tool in camel case, after a write: a refusal at run time would leave a branch behind
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["github.create_pull_request"]
//! calls: []
//! repair: program
//! ----
const created = await github.create_branch({ owner: "acme", repo: "web", branch: "release/2.5", from_branch: "main" });
const pull = await github.createPullRequest({ owner: "acme", repo: "web", title: "Release 2.5", head: "release/2.5", base: "main" });
return { ref: created.ref, pull: pull.number };
