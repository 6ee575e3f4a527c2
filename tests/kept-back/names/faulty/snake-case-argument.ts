//! class: names
//! kind: faulty
//! servers: playwright
//! fault: an argument that is nearly right
//! verdict: refused
//! provable: yes
//! says: ["double_click", "doubleClick"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
await playwright.browser_click({ target: "e7", double_click: true });
return "clicked";
