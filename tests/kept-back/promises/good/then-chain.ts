//! class: promises
//! kind: good
//! servers: git
//! verdict: runs
//! value: ["main", "dev", "release"]
//! notes: none
//! calls: ["git.git_branch"]
//! ----
return await git.git_branch({ repo_path: "/srv/web", branch_type: "local" })
  .then((text) => text.split("\n").map((line) => line.replace("*", "").trim()));
