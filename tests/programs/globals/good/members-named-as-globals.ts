//! class: globals
//! kind: good
//! like: qwen
//! servers: notion
//! looks: methods and keys with the names of missing globals
//! verdict: runs
//! value: {"Buffer": 1, "require": "Done"}
//! notes: none
//! calls: ["notion.API-retrieve-a-page"]
//! ----
const client = {
  fetch: (page_id: string) => notion.API_retrieve_a_page({ page_id }),
  process: (page: any) => ({ Buffer: page.properties.Points.number, require: page.properties.Status.status.name }),
};
const page = await client.fetch("1f0a2b3c-4d5e-4f60-8a7b-000000000102");
return client.process(page);
