//! class: numbers
//! kind: faulty
//! like: llama
//! servers: hostinger
//! fault: a snapshot that is restored by a number beyond 2^53
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["9007199254740995"]
//! never: ["9007199254740992", "9007199254740994", "9007199254740996"]
//! calls: []
//! repair: program
//! ----
const snapshot = await hostinger.DNS_getDNSSnapshotV1({ domain: "acme.example", snapshotId: 512 });
const answer = await hostinger.DNS_restoreDNSSnapshotV1({ domain: "acme.example", snapshotId: 9007199254740995 });
return { from: snapshot.reason, answer: answer.message };
