//! class: contents
//! kind: faulty
//! like: claude
//! servers: playwright
//! fault: `tools.content` wants the promise of a call and gets its value
//! verdict: fails
//! provable: no
//! at: [3]
//! says: ["tools.content", "promise|await"]
//! calls: ["playwright.browser_navigate", "playwright.browser_take_screenshot"]
//! completed: ["playwright.browser_navigate", "playwright.browser_take_screenshot"]
//! repair: program
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
const shot = await playwright.browser_take_screenshot({ fullPage: true });
const blocks = await tools.content(shot);
return blocks.find((block) => block.type === "image");
