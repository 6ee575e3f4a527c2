//! class: arguments
//! kind: faulty
//! like: llama
//! servers: github
//! fault: an array as a text of JSON
//! verdict: refused
//! provable: yes
//! at: [2, 6]
//! says: ["labels", "array"]
//! calls: []
//! repair: program
//! ----
const existing = await github.list_issues({ owner: "acme", repo: "web", labels: ["bug"] });
const created = await github.create_issue({
  owner: "acme",
  repo: "web",
  title: `Bug ${existing.length + 1}`,
  labels: "[\"bug\", \"triage\"]",
});
return created.number;
