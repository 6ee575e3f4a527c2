//! class: numbers
//! kind: faulty
//! like: qwen
//! servers: hostinger
//! fault: a literal beyond 2^53 in a callback, compared with an identifier of a reply
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["9007199254740993"]
//! never: ["9007199254740992", "9007199254740994", "9007199254740996"]
//! calls: []
//! repair: program
//! ----
const machines = await hostinger.VPS_getVirtualMachinesV1();
const found = machines.find((machine) => machine.id === 9007199254740993);
return found ? found.hostname : "no such machine";
