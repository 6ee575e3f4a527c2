//! class: numbers
//! kind: faulty
//! servers: hostinger
//! fault: an identifier beyond 2^53 as a number
//! verdict: refused
//! provable: yes
//! says: ["9007199254740993"]
//! never: ["9007199254740992"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const machine = await hostinger.VPS_getVirtualMachineDetailsV1({ virtualMachineId: 9007199254740993 });
return machine.hostname;
