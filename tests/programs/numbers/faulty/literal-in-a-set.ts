//! class: numbers
//! kind: faulty
//! like: llama
//! servers: hostinger
//! fault: one of two identifiers in a set is beyond 2^53: no reply could match it
//! verdict: refused
//! provable: yes
//! at: [1]
//! says: ["9007199254740993"]
//! never: ["9007199254740992", "9007199254740994", "9007199254740996"]
//! calls: []
//! repair: program
//! ----
const watched = new Set([17923, 9007199254740993]);
const machines = await hostinger.VPS_getVirtualMachinesV1();
return machines.filter((machine) => watched.has(machine.id)).map((machine) => machine.hostname);
