//! class: contents
//! kind: faulty
//! like: qwen
//! servers: git
//! fault: a text of digits stays a text, and has no methods of numbers
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["git.git_show", "string|text"]
//! calls: ["git.git_show"]
//! completed: ["git.git_show"]
//! repair: program
//! ----
const version = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:VERSION" });
return "next: " + (version.toFixed(2) + "1");
