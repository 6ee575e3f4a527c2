//! class: promises
//! kind: good
//! like: gemini
//! servers: filesystem
//! looks: a chain of promises by `reduce`
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["filesystem.read_text_file", "filesystem.read_text_file"]
//! ----
const paths = ["/srv/web/src/cart.ts", "/srv/web/src/total.ts"];
const todos = await paths.reduce(async (previous, path) => {
  const found = await previous;
  const { content } = await filesystem.read_text_file({ path });
  return found + content.split("\n").filter((line) => /TODO|FIXME/.test(line)).length;
}, Promise.resolve(0));
return todos;
