//! class: envelopes
//! kind: faulty
//! servers: filesystem
//! fault: an object is taken for a list of blocks
//! verdict: fails
//! provable: no
//! calls: ["filesystem.read_text_file"]
//! repair: program
//! ----
const version = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return version[0].text.trim();
