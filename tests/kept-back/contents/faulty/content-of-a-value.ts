//! class: contents
//! kind: faulty
//! servers: playwright
//! fault: `tools.content` of what was awaited
//! verdict: fails
//! provable: no
//! says: ["promise|tools.content"]
//! at: [2]
//! calls: ["playwright.browser_take_screenshot"]
//! repair: program
//! ----
const shot = await playwright.browser_take_screenshot({ type: "png" });
const blocks = await tools.content(shot);
return blocks.length;
