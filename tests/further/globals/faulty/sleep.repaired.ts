//! class: globals
//! kind: repaired
//! servers: playwright
//! repairs: sleep
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_find"]
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
await new Promise((done) => setTimeout(done, 20));
return (await playwright.browser_find({ text: "Check out" })).includes("button");
