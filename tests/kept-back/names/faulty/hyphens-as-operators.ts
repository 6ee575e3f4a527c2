//! class: names
//! kind: faulty
//! servers: notion
//! fault: the server's own name, written with a dot
//! verdict: refused
//! provable: yes
//! says: ["API_get_users"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const users = await notion.API-get-users({});
return users.results.length;
