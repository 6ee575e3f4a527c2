//! class: syntax
//! kind: good
//! like: claude
//! servers: hostinger
//! looks: templates in templates in a template
//! verdict: runs
//! value: "Domains: acme.example (until 2027-03-01), acme-shop.example (until 2026-12-15)"
//! notes: none
//! calls: ["hostinger.domains_getDomainListV1"]
//! ----
const domains = await hostinger.domains_getDomainListV1({});
return `Domains: ${domains.map((domain) => `${domain.domain} (${domain.status === "active" ? `until ${domain.expires_at.slice(0, 10)}` : "off"})`).join(", ")}`;
