//! class: envelopes
//! kind: good
//! like: gpt
//! servers: notion
//! looks: `[0].text.content`, which the reply really has
//! verdict: runs
//! value: {"texts": ["Agenda", "Welcome and demo.", "Send the invitations"], "has_more": false}
//! notes: none
//! calls: ["notion.API-get-block-children"]
//! ----
const { results, has_more } = await notion.API_get_block_children({ block_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000101" });
const texts = results.map((block) => block[block.type].rich_text[0].text.content);
return { texts, has_more };
