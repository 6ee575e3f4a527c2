//! class: numbers
//! kind: repaired
//! servers: hostinger
//! repairs: hexadecimal-literal
//! verdict: runs
//! value: 1
//! notes: any
//! calls: ["hostinger.VPS_getActionsV1"]
//! sends: [{"virtualMachineId": 9007199254740993, "page": 1}]
//! ----
const DB_SERVER = "9007199254740993";
const { data } = await hostinger.VPS_getActionsV1({ virtualMachineId: DB_SERVER, page: 1 });
return data.length;
