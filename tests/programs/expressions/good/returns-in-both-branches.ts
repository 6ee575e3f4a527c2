//! class: expressions
//! kind: good
//! like: gpt
//! servers: playwright
//! looks: no statement after the branches, each of which returns
//! verdict: runs
//! value: "clicked"
//! notes: none
//! calls: ["playwright.browser_find", "playwright.browser_click"]
//! sends: [{"text": "Check out"}, {"target": "e7"}]
//! ----
const text = await playwright.browser_find({ text: "Check out" });
if (text.includes("button")) {
  await playwright.browser_click({ target: text.match(/ref=(\w+)/)[1] });
  return "clicked";
} else {
  return "not found";
}
