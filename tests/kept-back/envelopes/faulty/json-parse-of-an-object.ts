//! class: envelopes
//! kind: faulty
//! servers: hostinger
//! fault: `JSON.parse` of a value that is one already
//! verdict: fails
//! provable: no
//! says: ["already"]
//! at: [2]
//! calls: ["hostinger.VPS_getBackupsV1"]
//! repair: program
//! ----
const raw = await hostinger.VPS_getBackupsV1({ virtualMachineId: 17923 });
const backups = JSON.parse(raw);
return backups.data.length;
