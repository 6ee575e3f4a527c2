//! class: envelopes
//! kind: repaired
//! servers: hostinger
//! repairs: parses-an-object
//! verdict: runs
//! value: ["web"]
//! notes: none
//! calls: ["hostinger.VPS_getFirewallListV1"]
//! ----
const response = await hostinger.VPS_getFirewallListV1({ page: 1 });
const firewalls = response;
return firewalls.data.map((firewall) => firewall.name);
