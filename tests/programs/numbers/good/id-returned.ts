//! class: numbers
//! kind: good
//! like: gpt
//! servers: hostinger
//! looks: an identifier beyond 2^53 is returned: all its digits, as a text
//! verdict: noted
//! value: [{"id": "9007199254740995", "day": "2026-11-20"}, {"id": 512, "day": "2026-01-02"}]
//! notes: ["string|text"]
//! calls: ["hostinger.DNS_getDNSSnapshotListV1"]
//! ----
const snapshots = await hostinger.DNS_getDNSSnapshotListV1({ domain: "acme.example" });
return snapshots.map((snapshot) => ({ id: snapshot.id, day: snapshot.created_at.slice(0, 10) }));
