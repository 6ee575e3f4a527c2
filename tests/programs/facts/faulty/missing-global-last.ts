//! class: facts
//! kind: faulty
//! like: gpt
//! servers: notion
//! fault: a global that does not exist, after a write
//! verdict: refused
//! provable: yes
//! at: [3]
//! says: ["Buffer", "btoa"]
//! calls: []
//! repair: program
//! ----
const page = await notion.API_retrieve_a_page({ page_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000101" });
const comment = await notion.API_create_a_comment({ parent: { page_id: page.id }, rich_text: [{ text: { content: "Ready for review" } }] });
return Buffer.from(comment.id.slice(-3)).toString("base64");
