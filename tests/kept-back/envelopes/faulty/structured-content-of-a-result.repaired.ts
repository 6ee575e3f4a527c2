//! class: envelopes
//! kind: repaired
//! servers: filesystem
//! repairs: structured-content-of-a-result
//! verdict: runs
//! value: "2.4"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const file = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return file.content.trim();
