//! class: functions
//! kind: faulty
//! like: gpt
//! servers: hostinger
//! fault: the program is one named function, never called
//! verdict: noted
//! provable: no
//! value: ["old-1.acme.example"]
//! notes: ["call|function"]
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! repair: unneeded
//! ----
// Lists the virtual machines that are stopped
async function run() {
  const machines = await hostinger.VPS_getVirtualMachinesV1({});
  const stopped = machines.filter((machine) => machine.state === "stopped");
  return stopped.map((machine) => machine.hostname);
}
