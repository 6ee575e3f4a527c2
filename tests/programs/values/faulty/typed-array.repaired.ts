//! class: values
//! kind: repaired
//! servers: filesystem
//! repairs: typed-array
//! verdict: runs
//! value: [50, 46, 52, 10]
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const { content } = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
const bytes = new TextEncoder().encode(content);
return Array.from(bytes);
