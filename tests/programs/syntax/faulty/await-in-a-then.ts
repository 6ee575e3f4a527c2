//! class: syntax
//! kind: faulty
//! like: qwen
//! servers: notion
//! fault: `await` in a `then` callback
//! verdict: refused
//! provable: yes
//! at: [3]
//! says: ["await", "async"]
//! calls: []
//! repair: program
//! ----
return notion.API_post_search({ query: "venue" }).then((found) => {
  const [first] = found.results;
  const page = await notion.API_retrieve_a_page({ page_id: first.id });
  return page.properties.Status.status.name;
});
