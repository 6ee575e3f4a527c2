//! class: functions
//! kind: good
//! like: qwen
//! servers: hostinger
//! looks: ends in a function declaration that is hoisted and was called; a reply with an integer beyond 2^53 in it
//! verdict: runs
//! value: {"count": 3, "memory": 28672}
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! ----
const machines = await hostinger.VPS_getVirtualMachinesV1();
return summarize(machines);

function summarize(list) {
  return { count: list.length, memory: list.reduce((sum, machine) => sum + machine.memory, 0) };
}
