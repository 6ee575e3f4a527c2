//! class: envelopes
//! kind: good
//! servers: hostinger
//! looks: `data` is a member of the reply
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["hostinger.VPS_getBackupsV1"]
//! ----
const backups = await hostinger.VPS_getBackupsV1({ virtualMachineId: 17923 });
return backups.data.length;
