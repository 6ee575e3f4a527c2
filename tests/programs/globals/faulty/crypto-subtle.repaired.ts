//! class: globals
//! kind: repaired
//! servers: filesystem
//! repairs: crypto-subtle
//! verdict: runs
//! value: 4
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const { content } = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return content.length;
