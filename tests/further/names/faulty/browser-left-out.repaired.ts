//! class: names
//! kind: repaired
//! servers: playwright
//! repairs: browser-left-out
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["playwright.browser_navigate"]
//! ----
const page = await playwright.browser_navigate({ url: "https://shop.example/cart" });
return page.includes("Cart");
