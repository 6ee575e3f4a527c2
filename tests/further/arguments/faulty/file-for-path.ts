//! class: arguments
//! kind: faulty
//! servers: filesystem
//! fault: `path` is called `file`
//! verdict: refused
//! provable: yes
//! says: ["path"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const version = await filesystem.read_text_file({ file: "/srv/web/VERSION" });
return version.content.trim();
