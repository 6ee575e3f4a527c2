//! class: expressions
//! kind: good
//! servers: hostinger
//! verdict: runs
//! value: "up"
//! notes: any
//! calls: ["hostinger.VPS_getVirtualMachinesV1"]
//! ----
const [machine] = await hostinger.VPS_getVirtualMachinesV1({});
switch (machine.state) {
  case "running":
    return "up";
  default:
    return "down";
}
