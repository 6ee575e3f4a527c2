//! class: promises
//! kind: faulty
//! like: llama
//! servers: hostinger
//! fault: `await` is missing before `Promise.all`: a promise cannot be taken apart
//! verdict: fails
//! provable: no
//! at: [1, 2, 3, 4]
//! says: ["await"]
//! calls: ["hostinger.domains_getDomainListV1", "hostinger.DNS_getDNSRecordsV1"]
//! completed: []
//! repair: program
//! ----
const [domains, records] = Promise.all([
  hostinger.domains_getDomainListV1(),
  hostinger.DNS_getDNSRecordsV1({ domain: "acme.example" }),
]);
return { domains: domains.length, records: records.length };
