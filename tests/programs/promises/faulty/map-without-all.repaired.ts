//! class: promises
//! kind: repaired
//! servers: github
//! repairs: map-without-all
//! verdict: runs
//! value: ["31: success", "33: failure"]
//! notes: none
//! calls: ["github.list_pull_requests", "github.get_pull_request_status", "github.get_pull_request_status"]
//! ----
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web" });
return Promise.all(pulls.map(async (pull) => {
  const status = await github.get_pull_request_status({ owner: "acme", repo: "web", pull_number: pull.number });
  return `${pull.number}: ${status.state}`;
}));
