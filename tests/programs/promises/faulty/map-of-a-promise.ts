//! class: promises
//! kind: faulty
//! like: qwen
//! servers: notion
//! fault: `await` is missing: the method of a promise is not there. A throw cancels the call at once
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["await", "notion.API_post_search|notion.API-post-search"]
//! calls: ["notion.API-post-search"]
//! completed: []
//! repair: program
//! ----
const found = notion.API_post_search({ query: "release" });
return found.results.map((page) => page.id.slice(-3));
