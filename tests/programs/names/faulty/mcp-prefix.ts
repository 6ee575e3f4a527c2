//! class: names
//! kind: faulty
//! like: gemini
//! servers: notion
//! fault: looks for the namespace under `mcp`
//! verdict: refused
//! provable: yes
//! at: [1]
//! says: ["notion.API_get_self|notion.API-get-self"]
//! calls: []
//! repair: program
//! ----
const me = await mcp.notion.API_get_self();
return me.type;
