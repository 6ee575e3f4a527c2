//! class: envelopes
//! kind: faulty
//! servers: git
//! fault: a text is looked for in a text
//! verdict: fails
//! provable: no
//! calls: ["git.git_status"]
//! repair: program
//! ----
const status = await git.git_status({ repo_path: "/srv/web" });
return status.text.includes("main");
