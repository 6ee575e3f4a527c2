//! class: facts
//! kind: repaired
//! servers: playwright
//! repairs: boolean-as-text
//! verdict: runs
//! value: "sent"
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_type"]
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
await playwright.browser_type({ target: "e5", text: "ada@acme.example", submit: true });
return "sent";
