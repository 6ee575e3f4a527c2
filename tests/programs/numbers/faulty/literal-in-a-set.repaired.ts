//! class: numbers
//! kind: repaired
//! servers: hostinger
//! repairs: literal-in-a-set
//! verdict: runs
//! value: ["web-1.acme.example", "db-1.acme.example"]
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! ----
const watched = new Set([17923, "9007199254740993"]);
const machines = await hostinger.VPS_getVirtualMachinesV1();
return machines.filter((machine) => watched.has(machine.id)).map((machine) => machine.hostname);
