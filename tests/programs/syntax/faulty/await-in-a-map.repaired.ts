//! class: syntax
//! kind: repaired
//! servers: github
//! repairs: await-in-a-map
//! verdict: runs
//! value: ["success", "failure"]
//! notes: none
//! calls: ["github.list_pull_requests", "github.get_pull_request_status", "github.get_pull_request_status"]
//! ----
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web" });
const states = await Promise.all(
  pulls.map(async (pull) => {
    const status = await github.get_pull_request_status({ owner: "acme", repo: "web", pull_number: pull.number });
    return status.state;
  }),
);
return states;
