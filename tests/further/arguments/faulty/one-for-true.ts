//! class: arguments
//! kind: faulty
//! servers: playwright
//! fault: `true` is written as 1
//! verdict: refused
//! provable: yes
//! says: ["static"]
//! calls: []
//! repair: program
//! ----
const requests = await playwright.browser_network_requests({ static: 1 });
return requests.split("\n").length;
