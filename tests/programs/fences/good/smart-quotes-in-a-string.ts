//! class: fences
//! kind: good
//! like: claude
//! servers: notion
//! looks: typographic quotes inside a string are text and arrive as they are
//! verdict: runs
//! value: "comment"
//! notes: none
//! calls: ["notion.API-create-a-comment"]
//! sends: [{"parent": {"page_id": "1f0a2b3c-4d5e-4f60-8a7b-000000000101"}, "rich_text": [{"text": {"content": "Ada said “looks good” – it’s done"}}]}]
//! ----
const answer = await notion.API_create_a_comment({
  parent: { page_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000101" },
  rich_text: [{ text: { content: "Ada said “looks good” – it’s done" } }],
});
return answer.object;
