//! class: envelopes
//! kind: faulty
//! like: qwen
//! servers: filesystem
//! fault: takes a declared object for a text
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["filesystem.read_text_file", "content"]
//! calls: ["filesystem.read_text_file"]
//! completed: ["filesystem.read_text_file"]
//! repair: program
//! ----
const text = await filesystem.read_text_file({ path: "/srv/web/notes.txt" });
const lines = text.trim().split("\n");
return lines.length;
