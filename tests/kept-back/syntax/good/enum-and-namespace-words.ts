//! class: syntax
//! kind: good
//! servers: hostinger
//! verdict: runs
//! value: ["old-1.acme.example"]
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! ----
enum State { Running = "running", Stopped = "stopped" }
const machines = await hostinger.VPS_getVirtualMachinesV1({});
return machines.filter((machine) => machine.state === State.Stopped).map((machine) => machine.hostname);
