//! class: envelopes
//! kind: good
//! like: gemini
//! servers: github
//! looks: `items` of a reply that has them
//! verdict: runs
//! value: ["cart.ts", "total.ts"]
//! notes: none
//! calls: ["github.search_code"]
//! ----
const response = await github.search_code({ q: "total repo:acme/web" });
return response.items.map(({ name }) => name);
