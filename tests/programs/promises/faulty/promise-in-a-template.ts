//! class: promises
//! kind: faulty
//! like: gemini
//! servers: git
//! fault: a promise in a template is `[object Promise]`: the text stays, and the outcome says so
//! verdict: noted
//! provable: no
//! value: "3 branches, last commit: [object Promise]"
//! notes: ["not awaited", "git.git_show"]
//! calls: ["git.git_branch", "git.git_show"]
//! repair: program
//! ----
const branches = await git.git_branch({ repo_path: "/srv/web", branch_type: "local" });
return `${branches.split("\n").length} branches, last commit: ${git.git_show({ repo_path: "/srv/web", revision: "5f3c1e0" })}`;
