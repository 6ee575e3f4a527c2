//! class: syntax
//! kind: repaired
//! servers: filesystem
//! repairs: await-in-a-method
//! verdict: runs
//! value: "2.4"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
class Reader {
  constructor(private readonly root: string) {}

  async read(name: string) {
    const { content } = await filesystem.read_text_file({ path: `${this.root}/${name}` });
    return content.trim();
  }
}

return await new Reader("/srv/web").read("VERSION");
