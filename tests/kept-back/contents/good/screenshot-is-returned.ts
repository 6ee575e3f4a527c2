//! class: contents
//! kind: good
//! servers: playwright
//! verdict: runs
//! blocks: ["image"]
//! notes: none
//! calls: ["playwright.browser_take_screenshot"]
//! ----
const call = playwright.browser_take_screenshot({ type: "png" });
const blocks = await tools.content(call);
return blocks.filter((block) => block.type === "image");
