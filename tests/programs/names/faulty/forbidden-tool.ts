//! class: names
//! kind: faulty
//! like: claude
//! servers: github
//! deny: github.merge_pull_request
//! fault: a tool that exists and is not granted: the message is the one of a tool that does not exist. Not provable: a `throw` may come first
//! verdict: fails
//! provable: no
//! at: [3]
//! says: ["merge_pull_request", "github.get_pull_request|github.create_pull_request|github.list_pull_requests|github.update_pull_request_branch"]
//! never: ["denied", "forbidden", "granted", "not allowed", "permission"]
//! calls: ["github.get_pull_request"]
//! completed: ["github.get_pull_request"]
//! repair: unneeded
//! ----
const pull = await github.get_pull_request({ owner: "acme", repo: "web", pull_number: 31 });
if (!pull.mergeable) throw new Error("cannot be merged");
const merged = await github.merge_pull_request({ owner: "acme", repo: "web", pull_number: 31, merge_method: "squash" });
return merged.sha;
