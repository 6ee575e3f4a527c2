//! class: values
//! kind: faulty
//! servers: hostinger
//! fault: a quotient that is no number is returned
//! verdict: noted
//! provable: no
//! notes: ["NaN|number"]
//! calls: ["hostinger.VPS_getBackupsV1"]
//! repair: unneeded
//! ----
const backups = await hostinger.VPS_getBackupsV1({ virtualMachineId: 18011 });
const sum = backups.data.reduce((total, backup) => total + backup.size, 0);
return { average: sum / backups.data.length };
