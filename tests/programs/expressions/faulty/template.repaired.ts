//! class: expressions
//! kind: repaired
//! servers: filesystem
//! repairs: template
//! verdict: runs
//! value: "Ada and the others ordered for 32.00"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const { content } = await filesystem.read_text_file({ path: "/srv/web/data/orders.csv" });
const rows = content.trim().split("\n").slice(1).map((line) => line.split(","));
const sum = rows.reduce((total, row) => total + Number(row[2]), 0);
return `Ada and the others ordered for ${sum.toFixed(2)}`
