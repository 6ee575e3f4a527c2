//! class: syntax
//! kind: faulty
//! servers: notion
//! fault: a formatted text of Python
//! verdict: refused
//! provable: yes
//! says: ["Python|backticks"]
//! calls: []
//! repair: none
//! ----
const bot = await notion.API_get_self({});
return f"{bot.name} is here";
