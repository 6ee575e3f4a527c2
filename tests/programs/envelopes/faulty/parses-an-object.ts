//! class: envelopes
//! kind: faulty
//! like: llama
//! servers: hostinger
//! fault: parses what is an object already
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["already", "hostinger.VPS_getFirewallListV1"]
//! calls: ["hostinger.VPS_getFirewallListV1"]
//! completed: ["hostinger.VPS_getFirewallListV1"]
//! repair: program
//! ----
const response = await hostinger.VPS_getFirewallListV1({ page: 1 });
const firewalls = JSON.parse(response);
return firewalls.data.map((firewall) => firewall.name);
