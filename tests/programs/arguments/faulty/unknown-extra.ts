//! class: arguments
//! kind: faulty
//! like: claude
//! servers: github
//! fault: a member that a closed schema does not have, and that would change what the call does
//! verdict: refused
//! provable: yes
//! at: [2, 8]
//! says: ["dryRun"]
//! calls: []
//! repair: program
//! ----
const file = await github.get_file_contents({ owner: "acme", repo: "web", path: "README.md" });
const result = await github.push_files({
  owner: "acme",
  repo: "web",
  branch: "main",
  files: [{ path: "README.md", content: file.content + "\nThanks!\n" }],
  message: "Thank the readers",
  dryRun: true,
});
return result.ref;
