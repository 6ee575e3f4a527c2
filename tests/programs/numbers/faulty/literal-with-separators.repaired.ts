//! class: numbers
//! kind: repaired
//! servers: hostinger
//! repairs: literal-with-separators
//! verdict: runs
//! value: ["eu-2"]
//! notes: any
//! calls: ["hostinger.VPS_getBackupsV1"]
//! sends: [{"virtualMachineId": 9007199254740993}]
//! ----
const dbServer = "9007199254740993";
const backups = await hostinger.VPS_getBackupsV1({ virtualMachineId: dbServer });
return backups.data.map((backup) => backup.location);
