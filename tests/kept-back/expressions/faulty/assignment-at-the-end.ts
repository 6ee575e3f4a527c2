//! class: expressions
//! kind: faulty
//! servers: filesystem
//! fault: the last statement is an assignment
//! verdict: noted
//! provable: no
//! value: "call Mona"
//! notes: any
//! calls: ["filesystem.read_text_file"]
//! repair: unneeded
//! ----
let summary;
const { content } = await filesystem.read_text_file({ path: "/srv/web/notes.txt" });
summary = content.split("\n")[0];
