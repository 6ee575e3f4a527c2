//! class: functions
//! kind: good
//! like: gemini
//! servers: filesystem
//! looks: an immediately invoked function whose value is not needed
//! verdict: runs
//! value: {"cart.ts": 77, "total.ts": 58}
//! notes: none
//! calls: ["filesystem.read_text_file", "filesystem.read_text_file"]
//! ----
const sizes: Record<string, number> = {};
await (async () => {
  for (const name of ["cart.ts", "total.ts"]) {
    const { content } = await filesystem.read_text_file({ path: `/srv/web/src/${name}` });
    sizes[name] = content.length;
  }
})();
return sizes;
