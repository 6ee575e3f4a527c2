//! class: facts
//! kind: repaired
//! servers: filesystem
//! repairs: wrong-call-in-a-template
//! verdict: runs
//! value: "2.4: call Mona\nship 2.5\nbuy coffee\n"
//! notes: none
//! calls: ["filesystem.read_text_file", "filesystem.read_text_file"]
//! ----
const version = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return `${version.content.trim()}: ${(await filesystem.read_text_file({ path: "/srv/web/notes.txt" })).content}`;
