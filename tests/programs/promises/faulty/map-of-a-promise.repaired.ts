//! class: promises
//! kind: repaired
//! servers: notion
//! repairs: map-of-a-promise
//! verdict: runs
//! value: ["101", "102", "103"]
//! notes: none
//! calls: ["notion.API-post-search"]
//! ----
const found = await notion.API_post_search({ query: "release" });
return found.results.map((page) => page.id.slice(-3));
