//! class: envelopes
//! kind: repaired
//! servers: notion
//! repairs: response-json
//! verdict: runs
//! value: "Not started"
//! notes: none
//! calls: ["notion.API-retrieve-a-page"]
//! ----
const response = await notion.API_retrieve_a_page({ page_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000103" });
const page = response;
return page.properties.Status.status.name;
