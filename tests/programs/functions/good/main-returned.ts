//! class: functions
//! kind: good
//! like: gpt
//! servers: playwright
//! looks: a `main` that is called, awaited and returned
//! verdict: runs
//! value: {"title": "Cart", "tabs": 2}
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_tabs"]
//! ----
async function main() {
  const page = await playwright.browser_navigate({ url: "https://shop.example/cart" });
  const title = page.match(/Page Title: (.*)/)?.[1];
  const tabs = await playwright.browser_tabs({ action: "list" });
  return { title, tabs: tabs.split("\n").length };
}
return await main();
