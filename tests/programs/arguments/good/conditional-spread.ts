//! class: arguments
//! kind: good
//! like: gpt
//! servers: filesystem
//! looks: members by condition
//! verdict: runs
//! value: "call Mona"
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! sends: [{"path": "/srv/web/notes.txt", "head": 1}]
//! ----
const onlyFirst = true;
const { content } = await filesystem.read_text_file({
  path: ["/srv", "web", "notes.txt"].join("/"),
  ...(onlyFirst && { head: 1 }),
  ...(!onlyFirst ? { tail: 1 } : {}),
});
return content;
