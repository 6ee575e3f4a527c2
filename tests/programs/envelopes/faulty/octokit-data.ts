//! class: envelopes
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: takes `data` out of the reply, as Octokit has it
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["already", "github.list_pull_requests"]
//! calls: ["github.list_pull_requests"]
//! completed: ["github.list_pull_requests"]
//! repair: program
//! ----
const { data } = await github.list_pull_requests({ owner: "acme", repo: "web", state: "open" });
return data.map((pull) => pull.title);
