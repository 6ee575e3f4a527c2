//! class: arguments
//! kind: good
//! like: gpt
//! servers: filesystem
//! looks: a member that an open schema does not name: sent as it is
//! verdict: runs
//! value: "written"
//! notes: none
//! calls: ["filesystem.write_file"]
//! sends: [{"path": "/srv/web/notes.txt", "content": "buy tea\n", "encoding": "utf-8"}]
//! ----
await filesystem.write_file({ path: "/srv/web/notes.txt", content: "buy tea\n", encoding: "utf-8" });
return "written";
