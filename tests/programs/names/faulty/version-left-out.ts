//! class: names
//! kind: faulty
//! like: qwen
//! servers: hostinger
//! fault: one of 401 names without its suffix
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["hostinger.VPS_getVirtualMachinesV1"]
//! calls: []
//! repair: program
//! ----
const domains = await hostinger.domains_getDomainListV1();
const machines = await hostinger.VPS_getVirtualMachines();
return { domains: domains.length, machines: machines.length };
