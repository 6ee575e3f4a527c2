//! class: contents
//! kind: repaired
//! servers: playwright
//! repairs: snapshot-in-a-member
//! verdict: runs
//! value: "Check out"
//! notes: none
//! calls: ["playwright.browser_snapshot"]
//! ----
const page = await playwright.browser_snapshot();
const buttons = page.match(/button "([^"]+)"/);
return buttons[1];
