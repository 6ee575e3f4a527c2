//! class: expressions
//! kind: faulty
//! like: qwen
//! servers: notion
//! fault: the last expression is a text of JSON
//! verdict: noted
//! provable: no
//! value: "{\"title\":\"Tasks\",\"sources\":[\"1f0a2b3c-4d5e-4f60-8a7b-000000000910\"]}"
//! notes: ["return|expression|last"]
//! calls: ["notion.API-retrieve-a-database"]
//! repair: unneeded
//! ----
const database = await notion.API_retrieve_a_database({ database_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000900" });
const summary = { title: database.title[0].plain_text, sources: database.data_sources.map((s) => s.id) };
JSON.stringify(summary);
