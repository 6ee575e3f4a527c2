//! class: expressions
//! kind: faulty
//! servers: hostinger
//! fault: the last statement awaits several calls
//! verdict: noted
//! provable: no
//! value: ["web-1.acme.example", "old-1.acme.example"]
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachineDetailsV1", "hostinger.VPS_getVirtualMachineDetailsV1"]
//! repair: unneeded
//! ----
const ids = [17923, 18011];
await Promise.all(ids.map(async (id) => (await hostinger.VPS_getVirtualMachineDetailsV1({ virtualMachineId: id })).hostname));
