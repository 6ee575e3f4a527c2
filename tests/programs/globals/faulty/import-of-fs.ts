//! class: globals
//! kind: faulty
//! like: gpt
//! servers: filesystem
//! fault: reads a file as Node does, where a tool reads files
//! verdict: refused
//! provable: yes
//! at: [1]
//! says: ["import", "filesystem.read"]
//! calls: []
//! repair: none
//! ----
import { readFile } from "node:fs/promises";

const text = await readFile("/srv/web/data/config.json", "utf8");
return JSON.parse(text).hosts;
