//! class: facts
//! kind: faulty
//! servers: filesystem
//! fault: a call in a template has no `path`
//! verdict: refused
//! provable: yes
//! says: ["path"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
const version = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return `${version.content.trim()}: ${(await filesystem.read_text_file({ file: "/srv/web/notes.txt" })).content}`;
