//! class: facts
//! kind: repaired
//! servers: playwright
//! repairs: nested-enum
//! verdict: runs
//! value: "ordered"
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_fill_form", "playwright.browser_click"]
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
await playwright.browser_fill_form({
  fields: [
    { target: "e5", name: "E-mail", type: "textbox", value: "ada@acme.example" },
    { target: "e6", name: "Newsletter", type: "checkbox", value: "false" },
  ],
});
await playwright.browser_click({ target: "e7", element: "Check out" });
return "ordered";
