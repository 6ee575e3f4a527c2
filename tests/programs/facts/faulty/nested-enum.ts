//! class: facts
//! kind: faulty
//! like: claude
//! servers: playwright
//! fault: a value deep in an argument that is none of those listed
//! verdict: refused
//! provable: yes
//! at: [2, 5]
//! says: ["type", "checkbox"]
//! calls: []
//! repair: program
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
await playwright.browser_fill_form({
  fields: [
    { target: "e5", name: "E-mail", type: "textbox", value: "ada@acme.example" },
    { target: "e6", name: "Newsletter", type: "switch", value: "false" },
  ],
});
await playwright.browser_click({ target: "e7", element: "Check out" });
return "ordered";
