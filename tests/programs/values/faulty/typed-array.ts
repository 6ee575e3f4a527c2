//! class: values
//! kind: faulty
//! like: claude
//! servers: filesystem
//! fault: a typed array, which JSON makes an object of indices
//! verdict: noted
//! provable: no
//! notes: ["Uint8Array|typed array"]
//! calls: ["filesystem.read_text_file"]
//! repair: program
//! ----
const { content } = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
const bytes = new TextEncoder().encode(content);
return bytes;
