//! class: arguments
//! kind: good
//! servers: filesystem
//! looks: a member that the schema does not have, where others are admitted
//! verdict: runs
//! value: "2.4"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const version = await filesystem.read_text_file({ path: "/srv/web/VERSION", encoding: "utf8" });
return version.content.trim();
