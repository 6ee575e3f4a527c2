//! class: contents
//! kind: faulty
//! like: gemini
//! servers: filesystem
//! fault: a declared reply is taken apart by a name that it does not have
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["filesystem.read_text_file", "content"]
//! calls: ["filesystem.read_text_file"]
//! completed: ["filesystem.read_text_file"]
//! repair: program
//! ----
const { text } = await filesystem.read_text_file({ path: "/srv/web/data/orders.csv" });
const rows = text.trim().split("\n").slice(1).map((line) => line.split(","));
return [...new Set(rows.map((row) => row[1]))];
