//! class: values
//! kind: faulty
//! servers: filesystem
//! fault: a member that does not exist is returned
//! verdict: noted
//! provable: no
//! notes: ["nothing|undefined"]
//! calls: ["filesystem.read_text_file"]
//! repair: unneeded
//! ----
const file = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return file.text;
