//! class: syntax
//! kind: good
//! like: gpt
//! servers: playwright
//! looks: slashes of both kinds, and a backtick in a regular expression
//! verdict: runs
//! value: {"failures": ["[POST] https://shop.example/api/coupon => [422] Unprocessable Content"], "rate": 0.33}
//! notes: none
//! calls: ["playwright.browser_network_requests"]
//! ----
const requests = await playwright.browser_network_requests({ static: false });
const lines = requests.split(/\r?\n/);
const failures = lines.filter((line) => /=> \[[45]\d\d\]/.test(line));
const rate = failures.length / lines.length / 1;
return { failures: failures.map((line) => line.replace(/^\d+\. /, "").replace(/`/g, "'")), rate: Math.round(rate * 100) / 100 };
