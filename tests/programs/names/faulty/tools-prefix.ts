//! class: names
//! kind: faulty
//! like: gpt
//! servers: playwright
//! fault: looks for the namespace under `tools`, after a call that is right
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["playwright.browser_console_messages"]
//! calls: []
//! repair: program
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
const messages = await tools.playwright.browser_console_messages({ level: "error" });
return messages.split("\n").slice(1);
