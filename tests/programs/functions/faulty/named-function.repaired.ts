//! class: functions
//! kind: repaired
//! servers: hostinger
//! repairs: named-function
//! verdict: runs
//! value: ["old-1.acme.example"]
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! ----
// Lists the virtual machines that are stopped
async function run() {
  const machines = await hostinger.VPS_getVirtualMachinesV1({});
  const stopped = machines.filter((machine) => machine.state === "stopped");
  return stopped.map((machine) => machine.hostname);
}
return await run();
