//! class: syntax
//! kind: faulty
//! like: llama
//! servers: playwright
//! fault: `await` in a function declaration that is not `async`
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["await", "async"]
//! calls: []
//! repair: program
//! ----
function fill(target, text) {
  await playwright.browser_click({ target });
  return playwright.browser_type({ target, text, submit: false });
}

await playwright.browser_navigate({ url: "https://shop.example/cart" });
await fill("e5", "ada@acme.example");
return "filled";
