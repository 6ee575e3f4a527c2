//! class: syntax
//! kind: good
//! like: qwen
//! servers: notion
//! looks: a label, and declarations with commas
//! verdict: runs
//! value: ["paragraph", "to_do"]
//! notes: none
//! calls: ["notion.API-get-block-children"]
//! ----
const wanted = ["Welcome", "Send"];
const found: string[] = [];
const { results } = await notion.API_get_block_children({ block_id: "1f0a2b3c-4d5e-4f60-8a7b-000000000101", page_size: 50 });
outer: for (const block of results) {
  for (let i = 0, text = block[block.type].rich_text[0].plain_text; i < wanted.length; i++) {
    if (text.startsWith(wanted[i])) { found.push(block.type); continue outer; }
  }
}
return found;
