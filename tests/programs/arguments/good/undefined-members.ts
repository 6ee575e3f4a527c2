//! class: arguments
//! kind: good
//! like: claude
//! servers: github
//! looks: `undefined` members are absent
//! verdict: runs
//! value: [3, 2]
//! notes: none
//! calls: ["github.list_issues", "github.list_issues"]
//! sends: [{"owner": "acme", "repo": "web"}, {"owner": "acme", "repo": "web", "labels": ["bug"]}]
//! ----
async function list(options: { state?: string; labels?: string[]; since?: string } = {}) {
  return github.list_issues({ owner: "acme", repo: "web", state: options.state, labels: options.labels, since: options.since });
}
return [(await list()).length, (await list({ labels: ["bug"] })).length];
