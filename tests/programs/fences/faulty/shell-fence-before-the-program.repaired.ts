//! class: fences
//! kind: repaired
//! servers: notion
//! repairs: shell-fence-before-the-program
//! verdict: runs
//! value: ["Write the release notes", "Book the venue", "Order stickers"]
//! notes: none
//! calls: ["notion.API-post-search"]
//! ----
const found = await notion.API_post_search({ query: "release", page_size: 10 });
return found.results.map((page) => page.properties.Name.title[0].plain_text);
