//! class: numbers
//! kind: good
//! like: claude
//! servers: hostinger
//! looks: a `BigInt` as an argument: its digits are sent as an integer
//! verdict: runs
//! value: {"hostname": "db-1.acme.example", "next": "9007199254740994"}
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachineDetailsV1"]
//! sends: [{"virtualMachineId": 9007199254740993}]
//! ----
const id = 9007199254740993n;
const machine = await hostinger.VPS_getVirtualMachineDetailsV1({ virtualMachineId: id });
return { hostname: machine.hostname, next: id + 1n };
