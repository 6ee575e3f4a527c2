//! class: names
//! kind: repaired
//! servers: notion
//! repairs: mcp-prefix
//! verdict: runs
//! value: "bot"
//! notes: none
//! calls: ["notion.API-get-self"]
//! ----
const me = await notion.API_get_self();
return me.type;
