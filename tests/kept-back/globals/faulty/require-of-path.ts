//! class: globals
//! kind: faulty
//! servers: filesystem
//! fault: `require("path")`
//! verdict: refused
//! provable: yes
//! says: ["require"]
//! at: [1]
//! calls: []
//! repair: none
//! ----
const path = require("path");
const file = await filesystem.read_text_file({ path: path.join("/srv/web", "VERSION") });
return file.content.trim();
