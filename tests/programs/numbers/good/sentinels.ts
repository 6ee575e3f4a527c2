//! class: numbers
//! kind: good
//! like: gpt
//! servers: hostinger
//! looks: 1e18 as a sentinel: a literal with an exponent stands for itself
//! verdict: runs
//! value: ["old-1.acme.example", "db-1.acme.example"]
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! ----
let cheapest = { price: 1e18, hostname: "" };
let dearest = { price: -Infinity, hostname: "" };
for (const machine of await hostinger.VPS_getVirtualMachinesV1()) {
  if (machine.price < cheapest.price) cheapest = machine;
  if (machine.price > dearest.price) dearest = machine;
}
return [cheapest.hostname, dearest.hostname];
