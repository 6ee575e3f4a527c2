//! class: facts
//! kind: faulty
//! like: gpt
//! servers: filesystem
//! fault: a path by position between two writes
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["path"]
//! calls: []
//! repair: program
//! ----
await filesystem.create_directory({ path: "/srv/web/archive" });
const notes = await filesystem.read_text_file("/srv/web/notes.txt");
await filesystem.write_file({ path: "/srv/web/archive/notes.txt", content: notes.content });
return notes.content.length;
