//! class: arguments
//! kind: good
//! like: gpt
//! servers: playwright
//! looks: required properties that have a default are left out, and sent left out
//! verdict: runs
//! value: {"errors": 1, "requests": 3}
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_console_messages", "playwright.browser_network_requests"]
//! sends: [{"url": "https://shop.example/cart"}, {"all": true}, {"filter": "/api/"}]
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
const messages = await playwright.browser_console_messages({ all: true });
const requests = await playwright.browser_network_requests({ filter: "/api/" });
return { errors: messages.split("\n").filter((line) => line.startsWith("[ERROR]")).length, requests: requests.split("\n").length };
