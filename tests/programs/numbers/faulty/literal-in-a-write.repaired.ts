//! class: numbers
//! kind: repaired
//! servers: hostinger
//! repairs: literal-in-a-write
//! verdict: runs
//! value: 9002
//! notes: any
//! calls: ["hostinger.billing_getSubscriptionListV1", "hostinger.VPS_restartVirtualMachineV1"]
//! sends: [{}, {"virtualMachineId": 9007199254740993}]
//! ----
const subscriptions = await hostinger.billing_getSubscriptionListV1();
if (subscriptions.some((subscription) => subscription.status === "active")) {
  const action = await hostinger.VPS_restartVirtualMachineV1({ virtualMachineId: "9007199254740993" });
  return action.id;
}
return null;
