//! class: contents
//! kind: good
//! like: claude
//! servers: notion
//! looks: a failed reply is an exception, whose message is the server's text
//! verdict: runs
//! value: {"tool": "tool_failed", "code": "object_not_found", "message": "Could not find page with the given ID."}
//! notes: none
//! calls: ["notion.API-retrieve-a-page"]
//! ----
try {
  const page = await notion.API_retrieve_a_page({ page_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000404" });
  return page.url;
} catch (error) {
  const { code, message } = JSON.parse(error.message);
  return { tool: error.code, code, message };
}
