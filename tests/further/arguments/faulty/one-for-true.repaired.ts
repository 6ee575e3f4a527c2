//! class: arguments
//! kind: repaired
//! servers: playwright
//! repairs: one-for-true
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["playwright.browser_network_requests"]
//! ----
const requests = await playwright.browser_network_requests({ static: true });
return requests.split("\n").length;
