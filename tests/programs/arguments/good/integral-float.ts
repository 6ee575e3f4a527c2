//! class: arguments
//! kind: good
//! like: qwen
//! servers: notion
//! looks: floats that are integers
//! verdict: runs
//! value: [2, 3]
//! notes: none
//! calls: ["notion.API-get-users", "notion.API-post-search"]
//! sends: [{"page_size": 25}, {"query": "", "page_size": 50}]
//! ----
const total = 100;
const users = await notion.API_get_users({ page_size: 25.0 });
const pages = await notion.API_post_search({ query: "", page_size: total / 2 });
return [users.results.length, pages.results.length];
