//! class: names
//! kind: good
//! servers: hostinger
//! verdict: runs
//! value: {"machines": 3, "domains": 2}
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1", "hostinger.domains_getDomainListV1"]
//! ----
const jobs = { machines: "VPS_getVirtualMachinesV1", domains: "domains_getDomainListV1" };
const counts: Record<string, number> = {};
for (const [name, tool] of Object.entries(jobs)) counts[name] = (await hostinger[tool]({})).length;
return counts;
