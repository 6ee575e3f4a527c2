//! class: numbers
//! kind: repaired
//! servers: hostinger
//! repairs: literal-in-a-constant
//! verdict: runs
//! value: "restarted"
//! notes: any
//! calls: ["hostinger.VPS_restartVirtualMachineV1", "hostinger.VPS_restartVirtualMachineV1"]
//! ----
await hostinger.VPS_restartVirtualMachineV1({ virtualMachineId: 17923 });
const database = "9007199254740993";
await hostinger.VPS_restartVirtualMachineV1({ virtualMachineId: database });
return "restarted";
