//! class: syntax
//! kind: faulty
//! servers: hostinger
//! fault: a parenthesis is never closed
//! verdict: refused
//! provable: yes
//! at: [1]
//! calls: []
//! repair: program
//! ----
const machines = await hostinger.VPS_getVirtualMachinesV1({};
return machines.length;
