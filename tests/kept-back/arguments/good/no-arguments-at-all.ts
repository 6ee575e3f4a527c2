//! class: arguments
//! kind: good
//! servers: hostinger
//! verdict: runs
//! value: 3
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! ----
const machines = await hostinger.VPS_getVirtualMachinesV1();
return machines.length;
