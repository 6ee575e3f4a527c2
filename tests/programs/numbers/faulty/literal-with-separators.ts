//! class: numbers
//! kind: faulty
//! like: gemini
//! servers: hostinger
//! fault: the same with separators, by way of a variable
//! verdict: refused
//! provable: yes
//! at: [1]
//! says: ["9_007_199_254_740_993|9007199254740993"]
//! never: ["9007199254740992", "9007199254740994", "9007199254740996"]
//! calls: []
//! repair: program
//! ----
const dbServer = 9_007_199_254_740_993;
const backups = await hostinger.VPS_getBackupsV1({ virtualMachineId: dbServer });
return backups.data.map((backup) => backup.location);
