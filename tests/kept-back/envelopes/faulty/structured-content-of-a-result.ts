//! class: envelopes
//! kind: faulty
//! servers: filesystem
//! fault: `structuredContent` of a value that is the structured content
//! verdict: fails
//! provable: no
//! at: [2]
//! calls: ["filesystem.read_text_file"]
//! repair: program
//! ----
const file = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return file.structuredContent.content.trim();
