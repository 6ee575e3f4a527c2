//! class: syntax
//! kind: faulty
//! servers: filesystem
//! fault: a text is never closed
//! verdict: refused
//! provable: yes
//! at: [1]
//! calls: []
//! repair: program
//! ----
const version = await filesystem.read_text_file({ path: "/srv/web/VERSION });
return version.content.trim();
