//! class: facts
//! kind: good
//! like: qwen
//! servers: hostinger
//! looks: variables that are right only by the time they are used
//! verdict: runs
//! value: [2, ["acme-labs.com"]]
//! notes: none
//! calls: ["hostinger.DNS_getDNSRecordsV1", "hostinger.domains_checkDomainAvailabilityV1"]
//! ----
let target: any = "acme.example";
target = { domain: target };
const records = await hostinger.DNS_getDNSRecordsV1(target);
const query = { tlds: ["com", "net"] } as any;
query.domain = "acme-labs";
const available = await hostinger.domains_checkDomainAvailabilityV1(query);
return [records.length, available.filter((entry) => entry.is_available).map((entry) => entry.domain)];
