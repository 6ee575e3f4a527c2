//! class: arguments
//! kind: repaired
//! servers: filesystem
//! repairs: text-for-a-boolean
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["filesystem.edit_file"]
//! ----
const edited = await filesystem.edit_file({
  path: "/srv/web/src/cart.ts",
  edits: [{ oldText: "length", newText: "size" }],
  dryRun: true,
});
return edited.content.includes("sum");
