//! class: globals
//! kind: good
//! like: qwen
//! servers: filesystem
//! looks: tries Node first and has a way out
//! verdict: runs
//! value: "2.4"
//! notes: any
//! calls: ["filesystem.read_text_file"]
//! ----
let load;
try {
  const fs = require("fs");
  load = async (path) => fs.readFileSync(path, "utf8");
} catch {
  load = async (path) => (await filesystem.read_text_file({ path })).content;
}
return (await load("/srv/web/VERSION")).trim();
