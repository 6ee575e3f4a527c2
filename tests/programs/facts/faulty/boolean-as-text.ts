//! class: facts
//! kind: faulty
//! like: qwen
//! servers: playwright
//! fault: a boolean in quotes, after a call that changes something
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["submit", "boolean"]
//! calls: []
//! repair: program
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
await playwright.browser_type({ target: "e5", text: "ada@acme.example", submit: "true" });
return "sent";
