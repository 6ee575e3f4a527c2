//! class: arguments
//! kind: repaired
//! servers: filesystem
//! repairs: one-object-for-a-list
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["filesystem.edit_file"]
//! ----
const edited = await filesystem.edit_file({ path: "/srv/web/src/cart.ts", edits: [{ oldText: "length", newText: "size" }] });
return edited.content.includes("sum");
