//! class: globals
//! kind: faulty
//! like: llama
//! servers: notion
//! fault: an import that the program does not even use
//! verdict: refused
//! provable: yes
//! at: [1]
//! says: ["import"]
//! calls: []
//! repair: program
//! ----
import axios from "axios";

const me = await notion.API_get_self({});
return me.name;
