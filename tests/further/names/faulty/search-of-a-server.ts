//! class: names
//! kind: faulty
//! servers: notion
//! fault: only the verb of the tool
//! verdict: refused
//! provable: yes
//! says: ["post_search|post-search"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const found = await notion.search({ query: "release" });
return found.object;
