//! class: globals
//! kind: faulty
//! servers: notion
//! fault: `localStorage` after a call that is right
//! verdict: refused
//! provable: yes
//! says: ["localStorage"]
//! at: [2]
//! calls: []
//! repair: none
//! ----
const self = await notion.API_get_self({});
localStorage.setItem("bot", self.name);
return self.name;
