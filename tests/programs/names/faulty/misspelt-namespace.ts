//! class: names
//! kind: faulty
//! like: qwen
//! servers: playwright github
//! fault: a namespace is misspelt
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["playwright.browser_network_requests"]
//! calls: []
//! repair: program
//! ----
await playwright.browser_navigate({ url: "https://shop.example/cart" });
const requests = await playwrite.browser_network_requests({ static: false, filter: "/api/" });
const failed = requests.split("\n").filter((line) => /\[[45]\d\d\]/.test(line));
const created = await github.create_issue({ owner: "acme", repo: "web", title: "Coupons fail", body: failed.join("\n") });
return created.number;
