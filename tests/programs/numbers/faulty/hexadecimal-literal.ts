//! class: numbers
//! kind: faulty
//! like: qwen
//! servers: hostinger
//! fault: a hexadecimal literal beyond 2^53
//! verdict: refused
//! provable: yes
//! at: [1]
//! says: ["0x20000000000001|9007199254740993"]
//! never: ["9007199254740992", "9007199254740994", "9007199254740996"]
//! calls: []
//! repair: program
//! ----
const DB_SERVER = 0x20000000000001;
const { data } = await hostinger.VPS_getActionsV1({ virtualMachineId: DB_SERVER, page: 1 });
return data.length;
