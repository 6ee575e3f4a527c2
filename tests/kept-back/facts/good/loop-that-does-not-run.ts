//! class: facts
//! kind: good
//! servers: filesystem
//! verdict: runs
//! value: "2.4"
//! notes: any
//! calls: ["filesystem.read_text_file"]
//! ----
const paths: string[] = [];
for (const path of paths) {
  await filesystem.read_text_file({ file: path });
}
const { content } = await filesystem.read_text_file({ path: "/srv/web/VERSION" });
return content.trim();
