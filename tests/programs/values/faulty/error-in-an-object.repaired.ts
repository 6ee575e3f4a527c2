//! class: values
//! kind: repaired
//! servers: github
//! repairs: error-in-an-object
//! verdict: runs
//! value: {"success": false, "error": {"name": "ToolError", "message": "Not Found: Issue not found", "code": "tool_failed"}}
//! notes: none
//! calls: ["github.get_issue"]
//! ----
try {
  const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 999 });
  return { success: true, issue };
} catch (error) {
  return { success: false, error: { name: error.name, message: error.message, code: error.code } };
}
