//! class: fences
//! kind: repaired
//! servers: github
//! repairs: prose-around-a-fence
//! verdict: runs
//! value: [{"number": 31, "title": "Fix Safari login"}]
//! notes: none
//! calls: ["github.list_pull_requests", "github.get_pull_request_status"]
//! ----
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web", state: "open" });
const ready = [];
for (const pull of pulls) {
  if (pull.draft) continue;
  const status = await github.get_pull_request_status({ owner: "acme", repo: "web", pull_number: pull.number });
  if (status.state === "success") ready.push({ number: pull.number, title: pull.title });
}
return ready;
