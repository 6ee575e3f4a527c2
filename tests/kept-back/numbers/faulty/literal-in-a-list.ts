//! class: numbers
//! kind: faulty
//! servers: hostinger
//! fault: one of several literals is beyond 2^53
//! verdict: refused
//! provable: yes
//! says: ["9007199254740993"]
//! never: ["9007199254740992"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const ids = [17923, 9007199254740993];
const all = await Promise.all(ids.map((id) => hostinger.VPS_getBackupsV1({ virtualMachineId: id })));
return all.map((backups) => backups.data.length);
