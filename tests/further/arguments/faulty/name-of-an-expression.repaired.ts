//! class: arguments
//! kind: repaired
//! servers: filesystem
//! repairs: name-of-an-expression
//! verdict: runs
//! value: "2.4"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const folder = "/srv/web";
const version = await filesystem.read_text_file({ path: `${folder}/VERSION` });
return version.content.trim();
