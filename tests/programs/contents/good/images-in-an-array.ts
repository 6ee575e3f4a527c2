//! class: contents
//! kind: good
//! like: gpt
//! servers: filesystem playwright
//! looks: an array with image blocks in it gives the client two images
//! verdict: runs
//! blocks: ["image", "image"]
//! notes: none
//! calls: ["filesystem.read_media_file", "playwright.browser_take_screenshot"]
//! ----
const [logo] = (await filesystem.read_media_file({ path: "/srv/web/logo.png" })).content;
const page = (await tools.content(playwright.browser_take_screenshot({}))).filter((block) => block.type === "image");
return ["Logo, then the page:", logo, ...page];
