//! class: envelopes
//! kind: repaired
//! servers: hostinger
//! repairs: json-parse-of-an-object
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["hostinger.VPS_getBackupsV1"]
//! ----
const raw = await hostinger.VPS_getBackupsV1({ virtualMachineId: 17923 });
const backups = raw;
return backups.data.length;
