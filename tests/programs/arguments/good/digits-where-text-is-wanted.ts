//! class: arguments
//! kind: good
//! like: llama
//! servers: hostinger
//! looks: a text of digits where the schema wants a text
//! verdict: runs
//! value: 24541
//! notes: none
//! calls: ["hostinger.VPS_createFirewallRuleV1"]
//! sends: [{"firewallId": 65224, "protocol": "HTTPS", "port": "443", "source": "any", "source_detail": "any"}]
//! ----
const rule = await hostinger.VPS_createFirewallRuleV1({
  firewallId: 65224,
  protocol: "HTTPS",
  port: "443",
  source: "any",
  source_detail: "any",
});
return rule.id;
