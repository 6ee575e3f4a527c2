//! class: globals
//! kind: faulty
//! like: gemini
//! servers: hostinger
//! fault: dates from the future
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["Temporal", "Date"]
//! calls: []
//! repair: program
//! ----
const domains = await hostinger.domains_getDomainListV1();
const limit = Temporal.Instant.from("2027-01-01T00:00:00Z").epochMilliseconds;
return domains.filter((domain) => Date.parse(domain.expires_at) < limit).map((domain) => domain.domain);
