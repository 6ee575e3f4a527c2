//! class: contents
//! kind: faulty
//! like: gemini
//! servers: git
//! fault: a reply that is a text, taken for an object with the text in it
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["git.git_status", "string|text"]
//! calls: ["git.git_status"]
//! completed: ["git.git_status"]
//! repair: program
//! ----
const status = await git.git_status({ repo_path: "/srv/web" });
const changed = status.output.split("\n").filter((line) => line.includes("modified:"));
return changed.length;
