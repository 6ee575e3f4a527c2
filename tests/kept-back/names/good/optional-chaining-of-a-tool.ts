//! class: names
//! kind: good
//! servers: filesystem
//! verdict: runs
//! value: "2.4"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const read = filesystem?.read_text_file;
const file = await read?.({ path: "/srv/web/VERSION" });
return file?.content.trim();
