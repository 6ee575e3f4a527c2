//! class: values
//! kind: repaired
//! servers: filesystem
//! repairs: all-settled-returned
//! verdict: runs
//! value: [{"status": "fulfilled", "value": {"content": "2.4\n"}}, {"status": "rejected", "reason": {"name": "ToolError", "message": "Error: ENOENT: no such file or directory, open '/srv/web/missing.txt'", "code": "tool_failed"}}]
//! notes: none
//! calls: ["filesystem.read_text_file", "filesystem.read_text_file"]
//! ----
const results = await Promise.allSettled([
  filesystem.read_text_file({ path: "/srv/web/VERSION" }),
  filesystem.read_text_file({ path: "/srv/web/missing.txt" }),
]);
return results.map((result) =>
  result.status === "fulfilled" ? result : { status: result.status, reason: { name: result.reason.name, message: result.reason.message, code: result.reason.code } },
);
