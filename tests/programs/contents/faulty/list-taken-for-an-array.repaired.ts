//! class: contents
//! kind: repaired
//! servers: notion
//! repairs: list-taken-for-an-array
//! verdict: runs
//! value: 1
//! notes: none
//! calls: ["notion.API-get-block-children"]
//! ----
const blocks = await notion.API_get_block_children({ block_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000101" });
return blocks.results.filter((block) => block.type === "to_do").length;
