//! class: arguments
//! kind: repaired
//! servers: playwright
//! repairs: two-texts-for-numbers
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["playwright.browser_resize"]
//! ----
const resized = await playwright.browser_resize({ width: 1280, height: 720 });
return resized.includes("Cart");
