//! class: names
//! kind: repaired
//! servers: playwright github
//! repairs: misspelt-namespace
//! verdict: runs
//! value: 40
//! notes: none
//! calls: ["playwright.browser_navigate", "playwright.browser_network_requests", "github.create_issue"]
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
const requests = await playwright.browser_network_requests({ static: false, filter: "/api/" });
const failed = requests.split("\n").filter((line) => /\[[45]\d\d\]/.test(line));
const created = await github.create_issue({ owner: "acme", repo: "web", title: "Coupons fail", body: failed.join("\n") });
return created.number;
