//! class: envelopes
//! kind: faulty
//! like: claude
//! servers: filesystem
//! fault: opens `structuredContent`, of which the reply is the value
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["already", "filesystem.list_directory", "content"]
//! calls: ["filesystem.list_directory"]
//! completed: ["filesystem.list_directory"]
//! repair: program
//! ----
const listing = await filesystem.list_directory({ path: "/srv/web" });
const names = listing.structuredContent.content.split("\n");
return names.filter((name) => name.startsWith("[DIR]")).length;
