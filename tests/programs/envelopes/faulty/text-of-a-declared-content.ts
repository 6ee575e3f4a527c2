//! class: envelopes
//! kind: faulty
//! like: claude
//! servers: filesystem
//! fault: the envelope's path over a declared reply whose `content` is a text: `undefined`, in silence
//! verdict: noted
//! provable: no
//! value: null
//! notes: ["returned nothing"]
//! calls: ["filesystem.read_text_file"]
//! repair: program
//! ----
const file = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return file.content[0].text;
