//! class: names
//! kind: repaired
//! servers: playwright
//! repairs: tools-prefix
//! verdict: runs
//! value: ["[ERROR] Failed to load resource: 404 @ https://shop.example/logo.svg:0", "[WARNING] Deprecated API @ app.js:14"]
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_console_messages"]
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
const messages = await playwright.browser_console_messages({ level: "error" });
return messages.split("\n").slice(1);
