//! class: contents
//! kind: faulty
//! like: llama
//! servers: filesystem
//! fault: takes the reply for the block that is inside it
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["filesystem.read_media_file", "content"]
//! calls: ["filesystem.read_media_file"]
//! completed: ["filesystem.read_media_file"]
//! repair: program
//! ----
const logo = await filesystem.read_media_file({ path: "/srv/web/logo.png" });
const encoded = logo.data.length;
return { type: logo.mimeType, encoded };
