//! class: numbers
//! kind: faulty
//! servers: hostinger
//! fault: the literal is compared with an identifier
//! verdict: refused
//! provable: yes
//! says: ["9007199254740993"]
//! never: ["9007199254740992"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
const machines = await hostinger.VPS_getVirtualMachinesV1({});
return machines.filter((machine) => machine.id === 9007199254740993).map((machine) => machine.hostname);
