//! class: numbers
//! kind: good
//! like: qwen
//! servers: hostinger
//! looks: the largest safe integer, as a name and as a literal
//! verdict: runs
//! value: {"count": 3, "limit": 9007199254740991}
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! ----
const MAX = Number.MAX_SAFE_INTEGER;
const machines = await hostinger.VPS_getVirtualMachinesV1({});
const safe = machines.filter((machine) => machine.cpus < 9007199254740991 && machine.cpus < MAX);
return { count: safe.length, limit: 9_007_199_254_740_991 };
