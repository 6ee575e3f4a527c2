//! class: numbers
//! kind: repaired
//! servers: hostinger
//! repairs: literal-in-a-list
//! verdict: runs
//! value: [2, 1]
//! notes: any
//! calls: ["hostinger.VPS_getBackupsV1", "hostinger.VPS_getBackupsV1"]
//! ----
const ids = [17923, "9007199254740993"];
const all = await Promise.all(ids.map((id) => hostinger.VPS_getBackupsV1({ virtualMachineId: id })));
return all.map((backups) => backups.data.length);
