//! class: expressions
//! kind: faulty
//! like: gemini
//! servers: filesystem
//! fault: the last expression is a template
//! verdict: noted
//! provable: no
//! value: "Ada and the others ordered for 32.00"
//! notes: ["return|expression|last"]
//! calls: ["filesystem.read_text_file"]
//! repair: unneeded
//! ----
const { content } = await filesystem.read_text_file({ path: "/srv/web/data/orders.csv" });
const rows = content.trim().split("\n").slice(1).map((line) => line.split(","));
const sum = rows.reduce((total, row) => total + Number(row[2]), 0);
`Ada and the others ordered for ${sum.toFixed(2)}`
