//! class: globals
//! kind: repaired
//! servers: notion
//! repairs: uuid
//! verdict: runs
//! value: "Sync bot 36"
//! notes: none
//! calls: ["notion.API-get-self"]
//! ----
const bot = await notion.API_get_self({});
return `${bot.name} ${crypto.randomUUID().length}`;
