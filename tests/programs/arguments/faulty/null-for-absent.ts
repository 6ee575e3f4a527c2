//! class: arguments
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: `null` for an optional property of a tool that nobody vouched for as read-only
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["head", "leave"]
//! calls: []
//! repair: program
//! ----
const commits = await github.list_commits({ owner: "acme", repo: "web" });
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web", state: "open", head: null });
return { commits: commits.length, pulls: pulls.length };
