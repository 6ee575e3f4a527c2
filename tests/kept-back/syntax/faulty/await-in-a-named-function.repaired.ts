//! class: syntax
//! kind: repaired
//! servers: filesystem
//! repairs: await-in-a-named-function
//! verdict: runs
//! value: "call Mona"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
async function firstLine(path) {
  const file = await filesystem.read_text_file({ path });
  return file.content.split("\n")[0];
}
return await firstLine("/srv/web/notes.txt");
