//! class: names
//! kind: good
//! like: qwen
//! servers: filesystem
//! looks: a name in brackets
//! verdict: runs
//! value: "call Mona"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const read = filesystem["read_text_file"];
const { content } = await read({ path: "/srv/web/notes.txt", head: 1 });
return content;
