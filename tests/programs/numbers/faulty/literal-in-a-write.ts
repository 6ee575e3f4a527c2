//! class: numbers
//! kind: faulty
//! like: claude
//! servers: hostinger
//! fault: the same in a write on one path: the rounded identifier could be somebody else's machine. A literal cannot be right on any path
//! verdict: refused
//! provable: yes
//! at: [3]
//! says: ["9007199254740993"]
//! never: ["9007199254740992", "9007199254740994", "9007199254740996"]
//! calls: []
//! repair: program
//! ----
const subscriptions = await hostinger.billing_getSubscriptionListV1();
if (subscriptions.some((subscription) => subscription.status === "active")) {
  const action = await hostinger.VPS_restartVirtualMachineV1({ virtualMachineId: 9007199254740993 });
  return action.id;
}
return null;
