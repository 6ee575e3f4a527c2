//! class: expressions
//! kind: repaired
//! servers: hostinger
//! repairs: variable-after-a-loop
//! verdict: runs
//! value: 6
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! ----
let total = 0;
for (const machine of await hostinger.VPS_getVirtualMachinesV1()) {
  if (machine.state === "running") total += machine.cpus;
}
return total;
