//! class: values
//! kind: good
//! like: claude
//! servers: hostinger
//! looks: valid dates are texts
//! verdict: runs
//! value: [{"domain": "acme.example", "expires": "2027-03-01T00:00:00.000Z"}, {"domain": "acme-shop.example", "expires": "2026-12-15T00:00:00.000Z"}]
//! notes: none
//! calls: ["hostinger.domains_getDomainListV1"]
//! ----
const domains = await hostinger.domains_getDomainListV1({});
return domains.map(({ domain, expires_at }) => ({ domain, expires: new Date(expires_at) }));
