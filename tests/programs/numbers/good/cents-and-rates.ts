//! class: numbers
//! kind: good
//! like: gemini
//! servers: hostinger
//! looks: floats, masks, small hexadecimal literals
//! verdict: runs
//! value: {"total": 23.98, "vat": 4.56, "mask": 2398, "epsilon": true}
//! notes: none
//! calls: ["hostinger.billing_getSubscriptionListV1"]
//! ----
const subscriptions = await hostinger.billing_getSubscriptionListV1();
const cents = subscriptions.reduce((sum, { total_price }) => sum + total_price, 0);
return { total: cents / 100, vat: Math.round(cents * 0.19) / 100, mask: 0xff_ff & cents, epsilon: Number.EPSILON > 0 };
