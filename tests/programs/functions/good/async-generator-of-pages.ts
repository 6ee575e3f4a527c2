//! class: functions
//! kind: good
//! like: claude
//! servers: notion
//! looks: an async generator, and a loop over it
//! verdict: runs
//! value: ["Write the release notes", "Book the venue", "Order stickers"]
//! notes: none
//! calls: ["notion.API-query-data-source", "notion.API-query-data-source"]
//! ----
async function* pages(data_source_id: string) {
  let cursor: string | undefined;
  do {
    const answer = await notion.API_query_data_source({ data_source_id, ...(cursor ? { start_cursor: cursor } : {}) });
    yield* answer.results;
    cursor = answer.next_cursor ?? undefined;
  } while (cursor);
}

const names: string[] = [];
for await (const page of pages("1f0a2b3c-4d5e-4f60-8a7b-000000000910")) {
  names.push(page.properties.Name.title[0].plain_text);
}
return names;
