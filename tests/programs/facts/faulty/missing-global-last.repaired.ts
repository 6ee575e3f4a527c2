//! class: facts
//! kind: repaired
//! servers: notion
//! repairs: missing-global-last
//! verdict: runs
//! value: "NzAx"
//! notes: none
//! calls: ["notion.API-retrieve-a-page", "notion.API-create-a-comment"]
//! ----
const page = await notion.API_retrieve_a_page({ page_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000101" });
const comment = await notion.API_create_a_comment({ parent: { page_id: page.id }, rich_text: [{ text: { content: "Ready for review" } }] });
return btoa(comment.id.slice(-3));
