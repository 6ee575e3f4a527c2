//! class: expressions
//! kind: repaired
//! servers: playwright
//! repairs: length
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["playwright.browser_evaluate"]
//! ----
const found = await playwright.browser_evaluate({ function: "() => window.cart" });
return found.length
