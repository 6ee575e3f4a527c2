//! class: fences
//! kind: good
//! like: claude
//! servers: filesystem
//! looks: a regular expression of fences
//! verdict: runs
//! value: ["-  return cart.items.length;", "+  return sum(cart.items);"]
//! notes: none
//! calls: ["filesystem.edit_file"]
//! ----
// edit_file answers with a diff inside a fence: take the fence off
const { content } = await filesystem.edit_file({
  path: "/srv/web/src/cart.ts",
  edits: [{ oldText: "return cart.items.length;", newText: "return sum(cart.items);" }],
  dryRun: true,
});
const diff = content.trim().replace(/^```\w*\n/, "").replace(/\n```$/, "");
return diff.split("\n");
