//! class: syntax
//! kind: repaired
//! servers: filesystem
//! repairs: open-quote
//! verdict: runs
//! value: "2.4"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const version = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return version.content.trim();
