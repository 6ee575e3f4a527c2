//! class: promises
//! kind: good
//! servers: hostinger
//! verdict: runs
//! value: 2
//! notes: any
//! calls: ["hostinger.VPS_getTemplatesV1", "hostinger.VPS_getDataCenterListV1"]
//! ----
const first = await Promise.race([
  hostinger.VPS_getTemplatesV1({}),
  hostinger.VPS_getDataCenterListV1({}),
]);
return first.length;
