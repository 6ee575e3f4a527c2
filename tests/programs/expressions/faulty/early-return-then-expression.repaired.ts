//! class: expressions
//! kind: repaired
//! servers: notion
//! repairs: early-return-then-expression
//! verdict: runs
//! value: "In progress"
//! notes: none
//! calls: ["notion.API-retrieve-a-page"]
//! ----
const page = await notion.API_retrieve_a_page({ page_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000101" });
if (page.archived) {
  return "archived";
}
return page.properties.Status.status.name;
