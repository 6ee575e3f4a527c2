//! class: arguments
//! kind: faulty
//! servers: hostinger
//! fault: an integer as a float
//! verdict: runs
//! provable: no
//! value: 2
//! notes: any
//! calls: ["hostinger.VPS_getBackupsV1"]
//! sends: [{"virtualMachineId": 17923}]
//! repair: unneeded
//! ----
const backups = await hostinger.VPS_getBackupsV1({ virtualMachineId: 17923.0 });
return backups.meta.total;
