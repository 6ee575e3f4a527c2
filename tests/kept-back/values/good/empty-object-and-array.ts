//! class: values
//! kind: good
//! servers: hostinger
//! verdict: runs
//! value: {"data": [], "extra": {}}
//! notes: none
//! calls: ["hostinger.VPS_getBackupsV1"]
//! ----
const { data } = await hostinger.VPS_getBackupsV1({ virtualMachineId: 18011 });
return { data, extra: {} };
