//! class: envelopes
//! kind: good
//! servers: github
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["github.search_issues"]
//! ----
const found = await github.search_issues({ q: "repo:acme/web cart" });
return found.items.length === found.total_count;
