//! class: globals
//! kind: repaired
//! servers: playwright
//! repairs: process-env
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["playwright.browser_resize", "playwright.browser_navigate"]
//! ----
await playwright.browser_resize({ width: 1280, height: 800 });
const base = "https://shop.example";
const page = await playwright.browser_navigate({ url: `${base}/cart` });
return page.includes("Cart");
