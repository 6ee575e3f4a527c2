//! class: facts
//! kind: good
//! like: llama
//! servers: filesystem
//! looks: a tool that does not exist, in a loop that does not run
//! verdict: runs
//! value: {"deleted": 0}
//! notes: any
//! calls: ["filesystem.search_files"]
//! ----
const { content } = await filesystem.search_files({ path: "/srv/web", pattern: "**/*.bak" });
const files = content.startsWith("No matches") ? [] : content.split("\n");
for (const path of files) await filesystem.delete_file({ path });
return { deleted: files.length };
