//! class: contents
//! kind: good
//! like: gemini
//! servers: playwright
//! looks: a text, an array and a text of digits from one server
//! verdict: runs
//! value: {"answer": "- button \"Check out\" [ref=e7]", "skus": ["A-1", "B-7"], "count": 3, "type": "string"}
//! notes: none
//! calls: ["playwright.browser_find", "playwright.browser_evaluate", "playwright.browser_evaluate"]
//! ----
const answer = await playwright.browser_find({ text: "Check out" });
const cart = await playwright.browser_evaluate({ function: "() => window.cart" });
const count = await playwright.browser_evaluate({ function: "() => document.querySelectorAll('li').length" });
return { answer, skus: cart.map((item) => item.sku), count: Number(count), type: typeof count };
