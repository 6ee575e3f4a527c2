//! class: arguments
//! kind: repaired
//! servers: playwright
//! repairs: null-for-absent
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_click"]
//! ----
const page = await playwright.browser_navigate({ url: "https://shop.example/cart" });
await playwright.browser_click({ element: "Check out", target: "e7" });
return page.includes("Cart");
