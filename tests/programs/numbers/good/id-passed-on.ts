//! class: numbers
//! kind: good
//! like: claude
//! servers: hostinger
//! looks: an identifier beyond 2^53 from a reply goes into a call: the exact integer is sent
//! verdict: noted
//! value: {"hostname": "db-1.acme.example", "backups": 1}
//! notes: ["string|text"]
//! calls: ["hostinger.VPS_getVirtualMachinesV1", "hostinger.VPS_getBackupsV1"]
//! sends: [{}, {"virtualMachineId": 9007199254740993}]
//! ----
const machines = await hostinger.VPS_getVirtualMachinesV1();
const largest = machines.reduce((best, machine) => (machine.memory > best.memory ? machine : best));
const backups = await hostinger.VPS_getBackupsV1({ virtualMachineId: largest.id });
return { hostname: largest.hostname, backups: backups.meta.total };
