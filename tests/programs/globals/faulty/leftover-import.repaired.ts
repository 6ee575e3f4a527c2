//! class: globals
//! kind: repaired
//! servers: notion
//! repairs: leftover-import
//! verdict: runs
//! value: "Sync bot"
//! notes: none
//! calls: ["notion.API-get-self"]
//! ----
const me = await notion.API_get_self({});
return me.name;
