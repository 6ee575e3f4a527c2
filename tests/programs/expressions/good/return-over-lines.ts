//! class: expressions
//! kind: good
//! like: gemini
//! servers: hostinger
//! looks: a return value in parentheses over several lines
//! verdict: runs
//! value: ["KVM 2: 12.99 EUR"]
//! notes: none
//! calls: ["hostinger.billing_getSubscriptionListV1"]
//! ----
const subscriptions = await hostinger.billing_getSubscriptionListV1();
return (
  subscriptions
    .filter(({ status }) => status === "active")
    .map(({ name, total_price, currency_code }) => `${name}: ${(total_price / 100).toFixed(2)} ${currency_code}`)
);
