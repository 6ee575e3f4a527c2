//! class: contents
//! kind: good
//! like: claude
//! servers: filesystem
//! looks: one call, its structured value and its blocks
//! verdict: runs
//! value: {"declared": "image/png", "blocks": ["image"]}
//! notes: none
//! calls: ["filesystem.read_media_file"]
//! ----
const call = filesystem.read_media_file({ path: "/srv/web/logo.png" });
const [reply, blocks] = await Promise.all([call, tools.content(call)]);
return { declared: reply.content[0].mimeType, blocks: blocks.map((block) => block.type) };
