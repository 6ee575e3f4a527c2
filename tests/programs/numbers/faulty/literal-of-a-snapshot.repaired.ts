//! class: numbers
//! kind: repaired
//! servers: hostinger
//! repairs: literal-of-a-snapshot
//! verdict: runs
//! value: {"from": "Zone created", "answer": "Request accepted"}
//! notes: any
//! calls: ["hostinger.DNS_getDNSSnapshotV1", "hostinger.DNS_restoreDNSSnapshotV1"]
//! sends: [{"domain": "acme.example", "snapshotId": 512}, {"domain": "acme.example", "snapshotId": 9007199254740995}]
//! ----
const snapshot = await hostinger.DNS_getDNSSnapshotV1({ domain: "acme.example", snapshotId: 512 });
const answer = await hostinger.DNS_restoreDNSSnapshotV1({ domain: "acme.example", snapshotId: "9007199254740995" });
return { from: snapshot.reason, answer: answer.message };
