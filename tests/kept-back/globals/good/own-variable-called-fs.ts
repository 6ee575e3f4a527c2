//! class: globals
//! kind: good
//! servers: filesystem
//! verdict: runs
//! value: "2.4"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const fs = filesystem;
const file = await fs.read_text_file({ path: "/srv/web/VERSION" });
return file.content.trim();
