//! class: envelopes
//! kind: repaired
//! servers: filesystem
//! repairs: structured-content
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["filesystem.list_directory"]
//! ----
const listing = await filesystem.list_directory({ path: "/srv/web" });
const names = listing.content.split("\n");
return names.filter((name) => name.startsWith("[DIR]")).length;
