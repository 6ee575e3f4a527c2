//! class: syntax
//! kind: faulty
//! servers: notion
//! fault: an apostrophe within single quotes
//! verdict: refused
//! provable: yes
//! at: [2]
//! calls: []
//! repair: program
//! ----
const bot = await notion.API_get_self({});
return bot.name + ' isn't a person';
