//! class: expressions
//! kind: faulty
//! like: llama
//! servers: playwright
//! fault: the last line is the answer, as in a notebook
//! verdict: noted
//! provable: no
//! value: 2
//! notes: ["return|expression|last"]
//! calls: ["playwright.browser_evaluate"]
//! repair: unneeded
//! ----
const found = await playwright.browser_evaluate({ function: "() => window.cart" });
found.length
