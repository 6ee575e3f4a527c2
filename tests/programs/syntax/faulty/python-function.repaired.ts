//! class: syntax
//! kind: repaired
//! servers: filesystem
//! repairs: python-function
//! verdict: runs
//! value: ["react ^19.1.0", "zod ^4.0.2"]
//! notes: none
//! calls: ["filesystem.read_text_file"]
//! ----
const result = await filesystem.read_text_file({ path: "/srv/web/package.json" });
const pkg = JSON.parse(result.content);
return Object.entries(pkg.dependencies).map(([name, version]) => `${name} ${version}`);
