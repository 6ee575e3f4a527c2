//! class: envelopes
//! kind: good
//! like: gpt
//! servers: hostinger
//! looks: `data` of a reply that has it
//! verdict: runs
//! value: {"total": 2, "newest": "2026-11-27"}
//! notes: none
//! calls: ["hostinger.VPS_getBackupsV1"]
//! ----
const { data, meta } = await hostinger.VPS_getBackupsV1({ virtualMachineId: 17923 });
return { total: meta.total, newest: data.at(-1).created_at.slice(0, 10) };
