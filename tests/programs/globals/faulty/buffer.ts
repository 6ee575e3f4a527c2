//! class: globals
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: `Buffer` for base64
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["Buffer", "btoa"]
//! calls: []
//! repair: program
//! ----
const file = await github.get_file_contents({ owner: "acme", repo: "web", path: "package.json" });
const encoded = Buffer.from(file.sha).toString("base64");
return { path: file.path, encoded };
