//! class: facts
//! kind: repaired
//! servers: filesystem
//! repairs: no-arguments
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["filesystem.list_directory", "filesystem.directory_tree"]
//! ----
const listing = await filesystem.list_directory({ path: "/srv/web" });
const tree = await filesystem.directory_tree({ path: "/srv/web" });
return listing.content.length + tree.content.length > 0;
