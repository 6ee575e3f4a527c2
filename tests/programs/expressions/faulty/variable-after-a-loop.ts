//! class: expressions
//! kind: faulty
//! like: llama
//! servers: hostinger
//! fault: a loop, then the variable alone
//! verdict: noted
//! provable: no
//! value: 6
//! notes: ["return|expression|last"]
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! repair: unneeded
//! ----
let total = 0;
for (const machine of await hostinger.VPS_getVirtualMachinesV1()) {
  if (machine.state === "running") total += machine.cpus;
}
total;
