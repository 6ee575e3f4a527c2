//! class: expressions
//! kind: good
//! like: claude
//! servers: github
//! looks: ends in a `finally` whose last statement is an expression
//! verdict: runs
//! value: ["src/cart.ts", "src/total.ts"]
//! notes: none
//! console: ["calls: 1"]
//! calls: ["github.search_code"]
//! ----
let calls = 0;
try {
  const { items } = await github.search_code({ q: "total repo:acme/web" });
  calls++;
  return items.map((item) => item.path);
} finally {
  console.log(`calls: ${calls}`);
}
