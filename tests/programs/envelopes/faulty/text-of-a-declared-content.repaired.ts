//! class: envelopes
//! kind: repaired
//! servers: filesystem
//! repairs: text-of-a-declared-content
//! verdict: runs
//! value: "2.4\n"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const file = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return file.content;
