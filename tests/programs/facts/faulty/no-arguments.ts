//! class: facts
//! kind: faulty
//! like: llama
//! servers: filesystem
//! fault: a call without the argument that it needs, as the second step
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["filesystem.directory_tree", "path"]
//! calls: []
//! repair: program
//! ----
const listing = await filesystem.list_directory({ path: "/srv/web" });
const tree = await filesystem.directory_tree();
return listing.content.length + tree.content.length > 0;
