//! class: functions
//! kind: faulty
//! like: claude
//! servers: playwright
//! fault: the program is one async arrow function, never called
//! verdict: noted
//! provable: no
//! value: ["- button \"Check out\" [ref=e7]"]
//! notes: ["call|function"]
//! calls: ["playwright.browser_navigate", "playwright.browser_snapshot"]
//! repair: unneeded
//! ----
async () => {
  await playwright.browser_navigate({ url: "https://shop.example/cart" });
  const snapshot = await playwright.browser_snapshot();
  return snapshot.split("\n").filter((line) => line.startsWith("- button"));
}
