//! class: envelopes
//! kind: good
//! servers: hostinger
//! verdict: runs
//! value: [62, 63]
//! notes: none
//! calls: ["hostinger.VPS_getBackupsV1"]
//! ----
const backups = await hostinger.VPS_getBackupsV1({ virtualMachineId: 17923 });
return backups.data.map((backup) => backup.id);
