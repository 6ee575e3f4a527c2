//! class: values
//! kind: faulty
//! like: claude
//! servers: filesystem
//! fault: the results of `allSettled` as they are, with an error in one
//! verdict: noted
//! provable: no
//! contains: [{"status": "fulfilled", "value": {"content": "2.4\n"}}, {"status": "rejected", "reason": {"name": "ToolError", "message": "Error: ENOENT: no such file or directory, open '/srv/web/missing.txt'", "code": "tool_failed"}}]
//! notes: []
//! calls: ["filesystem.read_text_file", "filesystem.read_text_file"]
//! repair: unneeded
//! ----
return await Promise.allSettled([
  filesystem.read_text_file({ path: "/srv/web/VERSION" }),
  filesystem.read_text_file({ path: "/srv/web/missing.txt" }),
]);
