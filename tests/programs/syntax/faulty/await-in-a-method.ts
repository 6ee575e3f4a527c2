//! class: syntax
//! kind: faulty
//! like: gemini
//! servers: filesystem
//! fault: `await` in a method that is not `async`
//! verdict: refused
//! provable: yes
//! at: [5]
//! says: ["await", "async"]
//! calls: []
//! repair: program
//! ----
class Reader {
  constructor(private readonly root: string) {}

  read(name: string) {
    const { content } = await filesystem.read_text_file({ path: `${this.root}/${name}` });
    return content.trim();
  }
}

return await new Reader("/srv/web").read("VERSION");
