//! class: contents
//! kind: faulty
//! servers: playwright
//! fault: an image is looked for in the value
//! verdict: noted
//! provable: no
//! value: "string"
//! notes: ["image|tools.content"]
//! calls: ["playwright.browser_take_screenshot"]
//! repair: unneeded
//! ----
const shot = await playwright.browser_take_screenshot({ type: "png" });
return typeof shot;
