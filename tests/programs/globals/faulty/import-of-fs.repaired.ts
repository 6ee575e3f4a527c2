//! class: globals
//! kind: repaired
//! servers: filesystem
//! repairs: import-of-fs
//! verdict: runs
//! value: ["a.example", "b.example"]
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const { content: text } = await filesystem.read_text_file({ path: "/srv/web/data/config.json" });
return JSON.parse(text).hosts;
