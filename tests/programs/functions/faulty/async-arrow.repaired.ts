//! class: functions
//! kind: repaired
//! servers: playwright
//! repairs: async-arrow
//! verdict: runs
//! value: ["- button \"Check out\" [ref=e7]"]
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_snapshot"]
//! ----
return await (async () => {
  await playwright.browser_navigate({ url: "https://shop.example/cart" });
  const snapshot = await playwright.browser_snapshot();
  return snapshot.split("\n").filter((line) => line.startsWith("- button"));
})();
