//! class: globals
//! kind: good
//! like: llama
//! servers: filesystem
//! looks: the program's own `process`
//! verdict: runs
//! value: ["CALL MONA", "SHIP 2.5", "BUY COFFEE"]
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const process = (line) => line.trim().toUpperCase();
const { content } = await filesystem.read_text_file({ path: "/srv/web/notes.txt" });
return content.trim().split("\n").map(process);
