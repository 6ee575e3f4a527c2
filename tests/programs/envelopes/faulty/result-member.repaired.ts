//! class: envelopes
//! kind: repaired
//! servers: github
//! repairs: result-member
//! verdict: runs
//! value: ["Crash on empty cart", "Login fails on Safari"]
//! notes: none
//! calls: ["github.search_issues"]
//! ----
const found = await github.search_issues({ q: "repo:acme/web label:bug is:open" });
const titles = found.items.map((issue) => issue.title);
return titles.sort();
