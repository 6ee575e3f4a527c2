//! class: arguments
//! kind: good
//! servers: filesystem
//! verdict: runs
//! value: "call Mona"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const path = "/srv/web/notes.txt";
const key = "head";
const file = await filesystem.read_text_file({ path, [key]: 1 });
return file.content;
