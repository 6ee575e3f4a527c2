//! class: names
//! kind: repaired
//! servers: notion
//! repairs: search-of-a-server
//! verdict: runs
//! value: "list"
//! notes: none
//! calls: ["notion.API-post-search"]
//! ----
const found = await notion.API_post_search({ query: "release" });
return found.object;
