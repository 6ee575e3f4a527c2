//! class: globals
//! kind: repaired
//! servers: hostinger
//! repairs: temporal
//! verdict: runs
//! value: ["acme-shop.example"]
//! notes: none
//! calls: ["hostinger.domains_getDomainListV1"]
//! ----
const domains = await hostinger.domains_getDomainListV1();
const limit = Date.parse("2027-01-01T00:00:00Z");
return domains.filter((domain) => Date.parse(domain.expires_at) < limit).map((domain) => domain.domain);
