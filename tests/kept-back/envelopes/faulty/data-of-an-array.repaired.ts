//! class: envelopes
//! kind: repaired
//! servers: hostinger
//! repairs: data-of-an-array
//! verdict: runs
//! value: ["acme.example", "acme-shop.example"]
//! notes: none
//! calls: ["hostinger.domains_getDomainListV1"]
//! ----
const answer = await hostinger.domains_getDomainListV1({});
return answer.map((one) => one.domain);
