//! class: arguments
//! kind: faulty
//! servers: playwright
//! fault: two numbers are written as texts
//! verdict: refused
//! provable: yes
//! says: ["width", "height"]
//! calls: []
//! repair: program
//! ----
const resized = await playwright.browser_resize({ width: "1280", height: "720" });
return resized.includes("Cart");
