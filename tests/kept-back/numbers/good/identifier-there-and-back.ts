//! class: numbers
//! kind: good
//! servers: hostinger
//! verdict: noted
//! value: "eu-2"
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1", "hostinger.VPS_getBackupsV1"]
//! ----
const machines = await hostinger.VPS_getVirtualMachinesV1({});
const database = machines.find((machine) => machine.hostname.startsWith("db-"))!;
const backups = await hostinger.VPS_getBackupsV1({ virtualMachineId: database.id });
return backups.data[0].location;
