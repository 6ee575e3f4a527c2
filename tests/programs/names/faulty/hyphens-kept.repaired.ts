//! class: names
//! kind: repaired
//! servers: notion
//! repairs: hyphens-kept
//! verdict: runs
//! value: {"users": 2, "found": 3}
//! notes: none
//! calls: ["notion.API-get-users", "notion.API-post-search"]
//! ----
const users = await notion.API_get_users({ page_size: 10 });
const found = await notion.API_post_search({ query: "stickers" });
return { users: users.results.length, found: found.results.length };
