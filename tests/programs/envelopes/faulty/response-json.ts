//! class: envelopes
//! kind: faulty
//! like: gpt
//! servers: notion
//! fault: treats the reply as the response of `fetch`
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["already", "notion.API_retrieve_a_page|notion.API-retrieve-a-page"]
//! calls: ["notion.API-retrieve-a-page"]
//! completed: ["notion.API-retrieve-a-page"]
//! repair: program
//! ----
const response = await notion.API_retrieve_a_page({ page_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000103" });
const page = await response.json();
return page.properties.Status.status.name;
