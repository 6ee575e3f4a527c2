//! class: expressions
//! kind: good
//! like: llama
//! servers: filesystem
//! looks: awaited calls as statements
//! verdict: runs
//! value: "done"
//! notes: none
//! calls: ["filesystem.create_directory", "filesystem.write_file"]
//! ----
await filesystem.create_directory({ path: "/srv/web/reports" });
await filesystem.write_file({ path: "/srv/web/reports/today.md", content: "# Today\n" });
return "done";
