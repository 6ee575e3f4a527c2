//! class: contents
//! kind: repaired
//! servers: filesystem
//! repairs: media-in-the-wrong-place
//! verdict: runs
//! value: {"type": "image/png", "encoded": 92}
//! notes: none
//! calls: ["filesystem.read_media_file"]
//! ----
const { content: [logo] } = await filesystem.read_media_file({ path: "/srv/web/logo.png" });
const encoded = logo.data.length;
return { type: logo.mimeType, encoded };
