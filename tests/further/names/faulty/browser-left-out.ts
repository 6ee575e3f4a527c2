//! class: names
//! kind: faulty
//! servers: playwright
//! fault: the prefix of the tool is left out
//! verdict: refused
//! provable: yes
//! says: ["playwright.browser_navigate"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const page = await playwright.navigate({ url: "https://shop.example/cart" });
return page.includes("Cart");
