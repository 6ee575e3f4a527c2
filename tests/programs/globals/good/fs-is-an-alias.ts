//! class: globals
//! kind: good
//! like: gpt
//! servers: filesystem
//! looks: an object of the program's own that is named as Node's module
//! verdict: runs
//! value: "eu"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const fs = { readFile: async (path) => (await filesystem.read_text_file({ path })).content };
const config = JSON.parse(await fs.readFile("/srv/web/data/config.json"));
return config.region;
