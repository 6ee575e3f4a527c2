//! class: numbers
//! kind: faulty
//! like: gpt
//! servers: hostinger
//! fault: an identifier beyond 2^53 as a number, which the language rounds
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["9007199254740993"]
//! never: ["9007199254740992", "9007199254740994", "9007199254740996"]
//! calls: []
//! repair: program
//! ----
const domains = await hostinger.domains_getDomainListV1();
const machine = await hostinger.VPS_getVirtualMachineDetailsV1({ virtualMachineId: 9007199254740993 });
return { domains: domains.length, hostname: machine.hostname };
