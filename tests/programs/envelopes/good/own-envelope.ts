//! class: envelopes
//! kind: good
//! like: llama
//! servers: notion
//! looks: an envelope of the program's own
//! verdict: runs
//! value: "Book the venue"
//! notes: none
//! calls: ["notion.API-retrieve-a-page"]
//! ----
const cache = { content: [{ type: "text", text: '{"page_id":"1f0a2b3c-4d5e-4f60-8a7b-000000000102"}' }] };
const { page_id } = JSON.parse(cache.content[0].text);
const page = await notion.API_retrieve_a_page({ page_id });
return page.properties.Name.title[0].plain_text;
