//! class: globals
//! kind: faulty
//! servers: playwright
//! fault: `sleep` as if it were there
//! verdict: refused
//! provable: yes
//! says: ["sleep"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
await sleep(20);
return (await playwright.browser_find({ text: "Check out" })).includes("button");
