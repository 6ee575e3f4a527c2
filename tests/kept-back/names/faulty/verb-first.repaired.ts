//! class: names
//! kind: repaired
//! servers: hostinger
//! repairs: verb-first
//! verdict: runs
//! value: [3, "KVM 2"]
//! notes: none
//! calls: ["hostinger.VPS_getVirtualMachinesV1", "hostinger.VPS_getVirtualMachineDetailsV1"]
//! ----
const machines = await hostinger.VPS_getVirtualMachinesV1({});
const details = await hostinger.VPS_getVirtualMachineDetailsV1({ virtualMachineId: 17923 });
return [machines.length, details.plan];
