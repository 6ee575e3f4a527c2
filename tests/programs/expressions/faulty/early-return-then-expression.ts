//! class: expressions
//! kind: faulty
//! like: gemini
//! servers: notion
//! fault: one path returns, the last line only names its answer: there is a top-level `return`, so nothing is assumed
//! verdict: noted
//! provable: no
//! value: null
//! notes: ["returned nothing"]
//! calls: ["notion.API-retrieve-a-page"]
//! repair: program
//! ----
const page = await notion.API_retrieve_a_page({ page_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000101" });
if (page.archived) {
  return "archived";
}
page.properties.Status.status.name;
