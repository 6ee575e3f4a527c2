//! class: envelopes
//! kind: good
//! like: qwen
//! servers: playwright
//! looks: parses in a `try` what is an object already
//! verdict: runs
//! value: "COUPON_EXPIRED"
//! notes: none
//! calls: ["playwright.browser_network_request"]
//! ----
const answer = await playwright.browser_network_request({ index: 3, part: "response-body" });
let body: any = answer;
try {
  body = JSON.parse(answer as string);
} catch {
  // it is an object already, or no JSON
}
return body.code;
