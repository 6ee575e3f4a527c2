//! class: syntax
//! kind: repaired
//! servers: hostinger
//! repairs: missing-parenthesis
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! ----
const machines = await hostinger.VPS_getVirtualMachinesV1({});
return machines.length;
