//! class: promises
//! kind: good
//! like: qwen
//! servers: hostinger
//! looks: a promise is returned without `await`
//! verdict: runs
//! value: ["Frankfurt", "Vilnius"]
//! notes: none
//! calls: ["hostinger.VPS_getDataCenterListV1"]
//! ----
return hostinger.VPS_getDataCenterListV1().then((centers) => centers.map((center) => center.city).sort());
