//! class: names
//! kind: faulty
//! like: llama
//! servers: notion
//! fault: the server's own name with its hyphens, which are subtractions here
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["notion.API_post_search|notion.API-post-search"]
//! calls: []
//! repair: program
//! ----
const users = await notion.API_get_users({ page_size: 10 });
const found = await notion.API-post-search({ query: "stickers" });
return { users: users.results.length, found: found.results.length };
