//! class: names
//! kind: repaired
//! servers: hostinger
//! repairs: version-left-out
//! verdict: runs
//! value: {"domains": 2, "machines": 3}
//! notes: any
//! calls: ["hostinger.domains_getDomainListV1", "hostinger.VPS_getVirtualMachinesV1"]
//! ----
const domains = await hostinger.domains_getDomainListV1();
const machines = await hostinger.VPS_getVirtualMachinesV1();
return { domains: domains.length, machines: machines.length };
