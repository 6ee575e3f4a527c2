//! class: numbers
//! kind: faulty
//! servers: hostinger
//! fault: the literal stands in a constant, after a write
//! verdict: refused
//! provable: yes
//! says: ["9007199254740993"]
//! never: ["9007199254740992"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
await hostinger.VPS_restartVirtualMachineV1({ virtualMachineId: 17923 });
const database = 9007199254740993;
await hostinger.VPS_restartVirtualMachineV1({ virtualMachineId: database });
return "restarted";
