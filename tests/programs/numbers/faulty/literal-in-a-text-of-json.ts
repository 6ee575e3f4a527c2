//! class: numbers
//! kind: faulty
//! like: gpt
//! servers: notion
//! fault: a literal beyond 2^53 deep in an argument that has no schema of its own
//! verdict: refused
//! provable: yes
//! at: [4]
//! says: ["12345678901234567891"]
//! never: ["12345678901234567000", "12345678901234567168"]
//! calls: []
//! repair: program
//! ----
const me = await notion.API_get_self();
const answer = await notion.API_patch_page({
  page_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000101",
  properties: { "Order id": { number: 12345678901234567891 } },
});
return { by: me.name, page: answer.object };
