//! class: syntax
//! kind: repaired
//! servers: playwright
//! repairs: await-in-a-helper
//! verdict: runs
//! value: "filled"
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_click", "playwright.browser_type"]
//! ----
async function fill(target, text) {
  await playwright.browser_click({ target });
  return playwright.browser_type({ target, text, submit: false });
}

await playwright.browser_navigate({ url: "https://shop.example/cart" });
await fill("e5", "ada@acme.example");
return "filled";
