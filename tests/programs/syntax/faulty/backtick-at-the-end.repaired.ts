//! class: syntax
//! kind: repaired
//! servers: hostinger
//! repairs: backtick-at-the-end
//! verdict: runs
//! value: ["A", "CNAME"]
//! notes: none
//! calls: ["hostinger.DNS_getDNSRecordsV1"]
//! ----
const records = await hostinger.DNS_getDNSRecordsV1({ domain: "acme.example" });
return records.map((record) => record.type);
