//! class: values
//! kind: good
//! like: gpt
//! servers: filesystem
//! looks: values with a `toJSON` of their own
//! verdict: runs
//! value: {"total": "32.00", "link": "https://shop.example/orders"}
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
class Amount {
  constructor(cents) { this.cents = cents; }
  toJSON() { return (this.cents / 100).toFixed(2); }
}
const { content } = await filesystem.read_text_file({ path: "/srv/web/data/orders.csv" });
const cents = content.trim().split("\n").slice(1).map((row) => Math.round(Number(row.split(",")[2]) * 100));
return { total: new Amount(cents.reduce((a, b) => a + b)), link: new URL("https://shop.example/orders") };
