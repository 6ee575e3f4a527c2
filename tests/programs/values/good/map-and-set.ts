//! class: values
//! kind: good
//! like: gpt
//! servers: github
//! looks: `Map` and `Set` are arrays
//! verdict: runs
//! value: {"labels": ["bug", "feature", "urgent"], "byUser": [["mona", 2], ["octo", 1]]}
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const labels = new Set<string>();
const byUser = new Map<string, number>();
for (const issue of await github.list_issues({ owner: "acme", repo: "web" })) {
  issue.labels.forEach((label) => labels.add(label.name));
  byUser.set(issue.user.login, (byUser.get(issue.user.login) ?? 0) + 1);
}
return { labels, byUser };
