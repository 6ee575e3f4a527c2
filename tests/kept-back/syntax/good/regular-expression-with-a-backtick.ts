//! class: syntax
//! kind: good
//! servers: git
//! verdict: runs
//! value: 2
//! notes: none
//! calls: ["git.git_diff"]
//! ----
const diff = await git.git_diff({ repo_path: "/srv/web", target: "release" });
return diff.split("\n").filter((line) => /^\+[^+`]/.test(line)).length;
