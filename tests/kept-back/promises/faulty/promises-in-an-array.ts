//! class: promises
//! kind: faulty
//! servers: hostinger
//! fault: an array of promises is returned
//! verdict: runs
//! provable: no
//! value: ["KVM 2", "KVM 1"]
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachineDetailsV1", "hostinger.VPS_getVirtualMachineDetailsV1"]
//! repair: unneeded
//! ----
return [17923, 18011].map((id) => hostinger.VPS_getVirtualMachineDetailsV1({ virtualMachineId: id }).then((machine) => machine.plan));
