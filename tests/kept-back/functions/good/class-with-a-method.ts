//! class: functions
//! kind: good
//! servers: filesystem
//! verdict: runs
//! value: "2.4"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
class Reader {
  constructor(private readonly root: string) {}
  async read(name: string) {
    return (await filesystem.read_text_file({ path: `${this.root}/${name}` })).content;
  }
}
const reader = new Reader("/srv/web");
return (await reader.read("VERSION")).trim();
