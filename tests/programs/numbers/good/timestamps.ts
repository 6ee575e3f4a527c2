//! class: numbers
//! kind: good
//! like: claude
//! servers: hostinger
//! looks: milliseconds since 1970
//! verdict: runs
//! value: [["acme.example", 93, false], ["acme-shop.example", 17, false]]
//! notes: none
//! calls: ["hostinger.domains_getDomainListV1"]
//! ----
const DAY = 24 * 60 * 60 * 1_000;
const now = Date.parse("2026-11-28T00:00:00Z");
const domains = await hostinger.domains_getDomainListV1();
return domains.map(({ domain, expires_at }) => [domain, Math.floor((Date.parse(expires_at) - now) / DAY), 1764288000000 > now]);
