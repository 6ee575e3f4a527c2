//! class: syntax
//! kind: good
//! servers: filesystem
//! verdict: runs
//! value: "[FILE] total.ts"
//! notes: none
//! calls: ["filesystem.list_directory"]
//! ----
function last<T>(items: readonly T[]): T | undefined {
  return items.at(-1);
}
const { content } = await filesystem.list_directory({ path: "/srv/web/src" });
return last<string>(content.split("\n"));
