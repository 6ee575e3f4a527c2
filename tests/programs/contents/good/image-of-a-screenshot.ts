//! class: contents
//! kind: good
//! like: claude
//! servers: playwright
//! looks: an image block beside a text block reaches the program, and the client gets an image
//! verdict: runs
//! blocks: ["image"]
//! notes: none
//! calls: ["playwright.browser_take_screenshot"]
//! ----
const blocks = await tools.content(playwright.browser_take_screenshot({ type: "png" }));
const image = blocks.find((block) => block.type === "image");
return image;
