//! class: contents
//! kind: faulty
//! like: claude
//! servers: playwright
//! fault: a page as text, taken for an object with a snapshot in it
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["playwright.browser_snapshot", "string|text"]
//! calls: ["playwright.browser_snapshot"]
//! completed: ["playwright.browser_snapshot"]
//! repair: program
//! ----
const page = await playwright.browser_snapshot();
const buttons = page.snapshot.match(/button "([^"]+)"/);
return buttons[1];
