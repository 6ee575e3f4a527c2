//! class: arguments
//! kind: faulty
//! servers: filesystem
//! fault: one object where a list of them is wanted
//! verdict: refused
//! provable: yes
//! says: ["edits"]
//! calls: []
//! repair: program
//! ----
const edited = await filesystem.edit_file({ path: "/srv/web/src/cart.ts", edits: { oldText: "length", newText: "size" } });
return edited.content.includes("sum");
