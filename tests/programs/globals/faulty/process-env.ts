//! class: globals
//! kind: faulty
//! like: gpt
//! servers: playwright
//! fault: asks the environment, which is not there, after a call that is right
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["process"]
//! calls: []
//! repair: program
//! ----
await playwright.browser_resize({ width: 1280, height: 800 });
const base = process.env.BASE_URL || "https://shop.example";
const page = await playwright.browser_navigate({ url: `${base}/cart` });
return page.includes("Cart");
