//! class: globals
//! kind: good
//! like: claude
//! servers: filesystem
//! looks: a program in a text, with everything that is not there
//! verdict: runs
//! value: 7
//! notes: none
//! calls: ["filesystem.write_file"]
//! ----
const source = `import fs from "node:fs";

export default async function main() {
  const response = await fetch(process.env.API_URL);
  fs.writeFileSync("out.json", Buffer.from(await response.arrayBuffer()));
}
`;
await filesystem.write_file({ path: "/srv/web/scripts/download.mjs", content: source });
return source.split("\n").length;
