//! class: numbers
//! kind: good
//! servers: hostinger
//! verdict: noted
//! value: "KVM 4"
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachineDetailsV1"]
//! ----
const id = 9007199254740993n;
const machine = await hostinger.VPS_getVirtualMachineDetailsV1({ virtualMachineId: id.toString() });
return machine.plan;
