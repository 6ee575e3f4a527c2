//! class: arguments
//! kind: faulty
//! servers: filesystem
//! fault: a boolean is written as a text
//! verdict: refused
//! provable: yes
//! says: ["dryRun"]
//! calls: []
//! repair: program
//! ----
const edited = await filesystem.edit_file({
  path: "/srv/web/src/cart.ts",
  edits: [{ oldText: "length", newText: "size" }],
  dryRun: "true",
});
return edited.content.includes("sum");
