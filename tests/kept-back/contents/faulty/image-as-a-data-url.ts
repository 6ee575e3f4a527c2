//! class: contents
//! kind: faulty
//! servers: playwright
//! fault: an image is looked for in the value, which has it: a reply of a text and an image is the array of its blocks
//! verdict: runs
//! provable: no
//! value: "object"
//! notes: none
//! calls: ["playwright.browser_take_screenshot"]
//! repair: unneeded
//! ----
const shot = await playwright.browser_take_screenshot({ type: "png" });
return typeof shot;
