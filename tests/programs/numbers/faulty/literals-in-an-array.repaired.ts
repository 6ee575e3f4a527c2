//! class: numbers
//! kind: repaired
//! servers: hostinger
//! repairs: literals-in-an-array
//! verdict: runs
//! value: ["web-1.acme.example", "db-1.acme.example"]
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachineDetailsV1", "hostinger.VPS_getVirtualMachineDetailsV1"]
//! ----
const ids = [17923, "9007199254740993"];
const names = [];
for (const id of ids) {
  const machine = await hostinger.VPS_getVirtualMachineDetailsV1({ virtualMachineId: id });
  names.push(machine.hostname);
}
return names;
