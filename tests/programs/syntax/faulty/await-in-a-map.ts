//! class: syntax
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: `await` in a callback that is not `async`
//! verdict: refused
//! provable: yes
//! at: [4]
//! says: ["await", "async"]
//! calls: []
//! repair: program
//! ----
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web" });
const states = await Promise.all(
  pulls.map((pull) => {
    const status = await github.get_pull_request_status({ owner: "acme", repo: "web", pull_number: pull.number });
    return status.state;
  }),
);
return states;
