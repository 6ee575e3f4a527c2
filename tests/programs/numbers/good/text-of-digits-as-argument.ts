//! class: numbers
//! kind: good
//! like: claude
//! servers: hostinger
//! looks: a text of digits beyond 2^53 for an integer: the exact integer is sent
//! verdict: runs
//! value: {"exact": true, "zones": 1}
//! notes: any
//! calls: ["hostinger.DNS_getDNSSnapshotV1"]
//! sends: [{"domain": "acme.example", "snapshotId": 9007199254740995}]
//! ----
const wanted = "9007199254740995";
const snapshot = await hostinger.DNS_getDNSSnapshotV1({ domain: "acme.example", snapshotId: wanted });
return { exact: String(snapshot.id) === wanted, zones: snapshot.snapshot.length };
