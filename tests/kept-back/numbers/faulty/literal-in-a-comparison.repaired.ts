//! class: numbers
//! kind: repaired
//! servers: hostinger
//! repairs: literal-in-a-comparison
//! verdict: runs
//! value: ["db-1.acme.example"]
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! ----
const machines = await hostinger.VPS_getVirtualMachinesV1({});
return machines.filter((machine) => machine.id === "9007199254740993").map((machine) => machine.hostname);
