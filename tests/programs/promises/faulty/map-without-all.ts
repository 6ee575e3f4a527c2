//! class: promises
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: an array of promises is returned: awaited
//! verdict: noted
//! provable: no
//! value: ["31: success", "33: failure"]
//! notes: []
//! calls: ["github.list_pull_requests", "github.get_pull_request_status", "github.get_pull_request_status"]
//! repair: unneeded
//! ----
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web" });
return pulls.map(async (pull) => {
  const status = await github.get_pull_request_status({ owner: "acme", repo: "web", pull_number: pull.number });
  return `${pull.number}: ${status.state}`;
});
