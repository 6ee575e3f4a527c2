//! class: numbers
//! kind: repaired
//! servers: notion
//! repairs: literal-in-a-text-of-json
//! verdict: runs
//! value: {"by": "Sync bot", "page": "page"}
//! notes: none
//! calls: ["notion.API-get-self", "notion.API-patch-page"]
//! ----
const me = await notion.API_get_self();
const answer = await notion.API_patch_page({
  page_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000101",
  properties: { "Order id": { number: "12345678901234567891" } },
});
return { by: me.name, page: answer.object };
