//! class: contents
//! kind: faulty
//! like: gpt
//! servers: notion
//! fault: a list object, taken for the array inside it
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["notion.API_get_block_children|notion.API-get-block-children", "results"]
//! calls: ["notion.API-get-block-children"]
//! completed: ["notion.API-get-block-children"]
//! repair: program
//! ----
const blocks = await notion.API_get_block_children({ block_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000101" });
return blocks.filter((block) => block.type === "to_do").length;
