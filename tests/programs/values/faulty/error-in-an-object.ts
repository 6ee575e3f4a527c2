//! class: values
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: a caught error inside the returned value: name, message and code stay
//! verdict: noted
//! provable: no
//! contains: {"success": false, "error": {"name": "ToolError", "message": "Not Found: Issue not found", "code": "tool_failed"}}
//! notes: []
//! calls: ["github.get_issue"]
//! repair: unneeded
//! ----
try {
  const issue = await github.get_issue({ owner: "acme", repo: "web", issue_number: 999 });
  return { success: true, issue };
} catch (error) {
  return { success: false, error };
}
