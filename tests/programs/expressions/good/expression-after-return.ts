//! class: expressions
//! kind: good
//! like: llama
//! servers: filesystem
//! looks: an expression that is never reached, as the rest of an edit
//! verdict: runs
//! value: ["/srv/web"]
//! notes: none
//! calls: ["filesystem.list_allowed_directories"]
//! ----
const { content } = await filesystem.list_allowed_directories({});
return content.split("\n").slice(1);

content.length;
