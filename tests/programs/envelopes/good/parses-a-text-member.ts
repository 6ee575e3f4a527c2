//! class: envelopes
//! kind: good
//! like: claude
//! servers: filesystem
//! looks: `JSON.parse` of a member that is a text of JSON
//! verdict: runs
//! value: ["src", "data"]
//! notes: none
//! calls: ["filesystem.directory_tree"]
//! ----
const response = await filesystem.directory_tree({ path: "/srv/web" });
const data = JSON.parse(response.content);
return data.items ?? data.filter((node) => node.type === "directory").map((node) => node.name);
