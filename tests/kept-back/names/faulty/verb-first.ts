//! class: names
//! kind: faulty
//! servers: hostinger
//! fault: a tool in camel case without its group, after a call that is right
//! verdict: refused
//! provable: yes
//! says: ["hostinger.VPS_getVirtualMachineDetailsV1"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
const machines = await hostinger.VPS_getVirtualMachinesV1({});
const details = await hostinger.VPS_getVirtualMachineDetails({ virtualMachineId: 17923 });
return [machines.length, details.plan];
