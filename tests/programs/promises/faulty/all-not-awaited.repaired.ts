//! class: promises
//! kind: repaired
//! servers: hostinger
//! repairs: all-not-awaited
//! verdict: runs
//! value: {"domains": 2, "records": 2}
//! notes: none
//! calls: ["hostinger.domains_getDomainListV1", "hostinger.DNS_getDNSRecordsV1"]
//! ----
const [domains, records] = await Promise.all([
  hostinger.domains_getDomainListV1(),
  hostinger.DNS_getDNSRecordsV1({ domain: "acme.example" }),
]);
return { domains: domains.length, records: records.length };
