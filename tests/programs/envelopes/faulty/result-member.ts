//! class: envelopes
//! kind: faulty
//! like: llama
//! servers: github
//! fault: takes `result` out of the reply, as JSON-RPC has it
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["already", "github.search_issues"]
//! calls: ["github.search_issues"]
//! completed: ["github.search_issues"]
//! repair: program
//! ----
const found = await github.search_issues({ q: "repo:acme/web label:bug is:open" });
const titles = found.result.items.map((issue) => issue.title);
return titles.sort();
