//! class: globals
//! kind: faulty
//! servers: notion
//! fault: `uuidv4` of a package
//! verdict: refused
//! provable: yes
//! says: ["uuidv4"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
const bot = await notion.API_get_self({});
return `${bot.name} ${uuidv4().length}`;
