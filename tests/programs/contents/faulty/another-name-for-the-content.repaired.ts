//! class: contents
//! kind: repaired
//! servers: filesystem
//! repairs: another-name-for-the-content
//! verdict: runs
//! value: ["Ada", "Grace"]
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const { content: text } = await filesystem.read_text_file({ path: "/srv/web/data/orders.csv" });
const rows = text.trim().split("\n").slice(1).map((line) => line.split(","));
return [...new Set(rows.map((row) => row[1]))];
