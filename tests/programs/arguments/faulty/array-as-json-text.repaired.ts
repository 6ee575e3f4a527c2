//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: array-as-json-text
//! verdict: runs
//! value: 40
//! notes: none
//! calls: ["github.list_issues", "github.create_issue"]
//! ----
const existing = await github.list_issues({ owner: "acme", repo: "web", labels: ["bug"] });
const created = await github.create_issue({
  owner: "acme",
  repo: "web",
  title: `Bug ${existing.length + 1}`,
  labels: ["bug", "triage"],
});
return created.number;
