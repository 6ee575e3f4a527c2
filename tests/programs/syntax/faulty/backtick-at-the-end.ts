//! class: syntax
//! kind: faulty
//! like: llama
//! servers: hostinger
//! fault: a backtick is left from a fence
//! verdict: refused
//! provable: yes
//! at: [3, 4]
//! says: ["backtick"]
//! calls: []
//! repair: program
//! ----
const records = await hostinger.DNS_getDNSRecordsV1({ domain: "acme.example" });
return records.map((record) => record.type);
`
