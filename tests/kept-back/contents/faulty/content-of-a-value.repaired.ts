//! class: contents
//! kind: repaired
//! servers: playwright
//! repairs: content-of-a-value
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["playwright.browser_take_screenshot"]
//! ----
const shot = playwright.browser_take_screenshot({ type: "png" });
const blocks = await tools.content(shot);
return blocks.length;
