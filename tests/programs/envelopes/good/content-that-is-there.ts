//! class: envelopes
//! kind: good
//! like: gpt
//! servers: filesystem
//! looks: `content` of a declared reply
//! verdict: runs
//! value: ["call Mona", "ship 2.5", "buy coffee"]
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const result = await filesystem.read_text_file({ path: "/srv/web/notes.txt" });
return result.content.split("\n").filter(Boolean);
