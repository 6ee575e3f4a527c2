//! class: envelopes
//! kind: good
//! servers: filesystem
//! verdict: runs
//! value: "eu"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const { content } = await filesystem.read_text_file({ path: "/srv/web/data/config.json" });
return JSON.parse(content).region;
