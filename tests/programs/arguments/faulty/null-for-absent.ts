//! class: arguments
//! kind: faulty
//! like: gpt
//! servers: playwright
//! fault: `null` for an optional property of a tool that nobody vouched for as read-only
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["button", "leave"]
//! calls: []
//! repair: program
//! ----
const page = await playwright.browser_navigate({ url: "https://shop.example/cart" });
await playwright.browser_click({ element: "Check out", target: "e7", button: null });
return page.includes("Cart");
