//! class: contents
//! kind: repaired
//! servers: playwright
//! repairs: content-of-an-awaited-call
//! verdict: runs
//! blocks: ["image"]
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_take_screenshot"]
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
const shot = playwright.browser_take_screenshot({ fullPage: true });
const blocks = await tools.content(shot);
return blocks.find((block) => block.type === "image");
