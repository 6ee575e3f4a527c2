//! class: values
//! kind: good
//! like: qwen
//! servers: notion
//! looks: members that are `undefined` are left out
//! verdict: runs
//! value: {"name": "Order stickers"}
//! notes: none
//! calls: ["notion.API-retrieve-a-page"]
//! ----
const page = await notion.API_retrieve_a_page({ page_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000103" });
return { name: page.properties.Name.title[0].plain_text, points: page.properties.Points.number ?? undefined, owner: page.properties.Owner?.people };
