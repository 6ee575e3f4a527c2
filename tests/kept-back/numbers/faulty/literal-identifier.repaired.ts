//! class: numbers
//! kind: repaired
//! servers: hostinger
//! repairs: literal-identifier
//! verdict: runs
//! value: "db-1.acme.example"
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachineDetailsV1"]
//! ----
const machine = await hostinger.VPS_getVirtualMachineDetailsV1({ virtualMachineId: "9007199254740993" });
return machine.hostname;
