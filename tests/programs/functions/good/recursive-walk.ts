//! class: functions
//! kind: good
//! like: claude
//! servers: filesystem
//! looks: a generator function that is only used by a spread
//! verdict: runs
//! value: ["/README.md", "/package.json", "/src/cart.ts", "/src/total.ts", "/data/orders.csv"]
//! notes: none
//! calls: ["filesystem.directory_tree"]
//! ----
const { content } = await filesystem.directory_tree({ path: "/srv/web" });

function* walk(nodes, prefix = "") {
  for (const node of nodes) {
    const path = `${prefix}/${node.name}`;
    if (node.type === "file") yield path;
    else yield* walk(node.children ?? [], path);
  }
}

return [...walk(JSON.parse(content))];
