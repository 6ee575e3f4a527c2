//! class: envelopes
//! kind: repaired
//! servers: filesystem
//! repairs: split-of-an-object
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const text = await filesystem.read_text_file({ path: "/srv/web/notes.txt" });
const lines = text.content.trim().split("\n");
return lines.length;
