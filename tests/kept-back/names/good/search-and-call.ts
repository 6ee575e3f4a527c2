//! class: names
//! kind: good
//! servers: github
//! verdict: runs
//! value: true
//! notes: none
//! calls: []
//! ----
const [hit] = await tools.search("close or change an issue", 1);
return typeof hit.path === "string" && hit.path.startsWith("github.");
