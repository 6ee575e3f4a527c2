//! class: syntax
//! kind: good
//! servers: git
//! looks: brackets and quotes in texts and patterns
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["git.git_status"]
//! ----
const status = await git.git_status({ repo_path: "/srv/web" });
return status.replace(/[([{]'"/g, ")]}").includes("it's (") ? 1 : 2;
