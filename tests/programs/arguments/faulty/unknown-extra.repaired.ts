//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: unknown-extra
//! verdict: runs
//! value: "refs/heads/main"
//! notes: none
//! calls: ["github.get_file_contents", "github.push_files"]
//! ----
const file = await github.get_file_contents({ owner: "acme", repo: "web", path: "README.md" });
const result = await github.push_files({
  owner: "acme",
  repo: "web",
  branch: "main",
  files: [{ path: "README.md", content: file.content + "\nThanks!\n" }],
  message: "Thank the readers",
});
return result.ref;
