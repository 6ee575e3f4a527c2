//! class: syntax
//! kind: repaired
//! servers: notion
//! repairs: await-in-a-then
//! verdict: runs
//! value: "In progress"
//! notes: none
//! calls: ["notion.API-post-search", "notion.API-retrieve-a-page"]
//! ----
return notion.API_post_search({ query: "venue" }).then(async (found) => {
  const [first] = found.results;
  const page = await notion.API_retrieve_a_page({ page_id: first.id });
  return page.properties.Status.status.name;
});
