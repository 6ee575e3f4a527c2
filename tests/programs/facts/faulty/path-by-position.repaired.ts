//! class: facts
//! kind: repaired
//! servers: filesystem
//! repairs: path-by-position
//! verdict: runs
//! value: 30
//! notes: none
//! calls: ["filesystem.create_directory", "filesystem.read_text_file", "filesystem.write_file"]
//! ----
await filesystem.create_directory({ path: "/srv/web/archive" });
const notes = await filesystem.read_text_file({ path: "/srv/web/notes.txt" });
await filesystem.write_file({ path: "/srv/web/archive/notes.txt", content: notes.content });
return notes.content.length;
