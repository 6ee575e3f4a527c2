//! class: numbers
//! kind: repaired
//! servers: hostinger
//! repairs: literal-id
//! verdict: runs
//! value: {"domains": 2, "hostname": "db-1.acme.example"}
//! notes: any
//! calls: ["hostinger.domains_getDomainListV1", "hostinger.VPS_getVirtualMachineDetailsV1"]
//! sends: [{}, {"virtualMachineId": 9007199254740993}]
//! ----
const domains = await hostinger.domains_getDomainListV1();
const machine = await hostinger.VPS_getVirtualMachineDetailsV1({ virtualMachineId: "9007199254740993" });
return { domains: domains.length, hostname: machine.hostname };
