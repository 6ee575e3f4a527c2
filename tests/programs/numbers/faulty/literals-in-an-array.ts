//! class: numbers
//! kind: faulty
//! like: gpt
//! servers: hostinger
//! fault: one of two identifiers in an array is beyond 2^53
//! verdict: refused
//! provable: yes
//! at: [1]
//! says: ["9007199254740993"]
//! never: ["9007199254740992", "9007199254740994", "9007199254740996"]
//! calls: []
//! repair: program
//! ----
const ids = [17923, 9007199254740993];
const names = [];
for (const id of ids) {
  const machine = await hostinger.VPS_getVirtualMachineDetailsV1({ virtualMachineId: id });
  names.push(machine.hostname);
}
return names;
