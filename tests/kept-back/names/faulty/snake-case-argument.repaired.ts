//! class: names
//! kind: repaired
//! servers: playwright
//! repairs: snake-case-argument
//! verdict: runs
//! value: "clicked"
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_click"]
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
await playwright.browser_click({ target: "e7", doubleClick: true });
return "clicked";
