//! class: names
//! kind: faulty
//! servers: filesystem
//! fault: the namespace has an underscore
//! verdict: refused
//! provable: yes
//! says: ["filesystem.read_text_file"]
//! at: [1]
//! calls: []
//! repair: program
//! ----
const version = await file_system.read_text_file({ path: "/srv/web/VERSION" });
return version.content.trim();
