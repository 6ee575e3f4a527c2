//! class: globals
//! kind: repaired
//! servers: github
//! repairs: buffer
//! verdict: runs
//! value: {"path": "package.json", "encoded": "YWExMQ=="}
//! notes: none
//! calls: ["github.get_file_contents"]
//! ----
const file = await github.get_file_contents({ owner: "acme", repo: "web", path: "package.json" });
const encoded = btoa(file.sha);
return { path: file.path, encoded };
