//! class: functions
//! kind: faulty
//! like: gemini
//! servers: github
//! fault: one function that wants a parameter: it is not called for the model, who reads that the namespaces are global
//! verdict: noted
//! provable: no
//! value: null
//! notes: ["returned nothing", "parameter"]
//! calls: []
//! repair: program
//! ----
async ({ github }) => {
  const issues = await github.list_issues({ owner: "acme", repo: "web" });
  return issues.length;
}
