//! class: syntax
//! kind: repaired
//! servers: notion
//! repairs: apostrophe
//! verdict: runs
//! value: "Sync bot isn't a person"
//! notes: none
//! calls: ["notion.API-get-self"]
//! ----
const bot = await notion.API_get_self({});
return bot.name + " isn't a person";
