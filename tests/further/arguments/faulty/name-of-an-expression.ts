//! class: arguments
//! kind: faulty
//! servers: filesystem
//! fault: `path` is called `where`, and its value is an expression
//! verdict: refused
//! provable: yes
//! says: ["path"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
const folder = "/srv/web";
const version = await filesystem.read_text_file({ where: `${folder}/VERSION` });
return version.content.trim();
