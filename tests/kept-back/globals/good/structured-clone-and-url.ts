//! class: globals
//! kind: good
//! servers: playwright
//! verdict: runs
//! value: {"host": "shop.example", "path": "/cart"}
//! notes: any
//! calls: ["playwright.browser_tabs"]
//! ----
const tabs = await playwright.browser_tabs({ action: "list" });
const address = new URL(/\((https.*?)\)/.exec(tabs)![1]);
return structuredClone({ host: address.host, path: address.pathname });
