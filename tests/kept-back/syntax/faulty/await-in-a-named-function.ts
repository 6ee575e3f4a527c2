//! class: syntax
//! kind: faulty
//! servers: filesystem
//! fault: `await` in a function that is not async
//! verdict: refused
//! provable: yes
//! says: ["async"]
//! at: [1, 2]
//! calls: []
//! repair: program
//! ----
function firstLine(path) {
  const file = await filesystem.read_text_file({ path });
  return file.content.split("\n")[0];
}
return await firstLine("/srv/web/notes.txt");
