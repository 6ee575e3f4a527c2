//! class: contents
//! kind: good
//! servers: git
//! verdict: runs
//! value: ["Commit: 5f3c1e0", "Commit: 91d2ab7"]
//! notes: none
//! calls: ["git.git_log"]
//! ----
const commits = await git.git_log({ repo_path: "/srv/web", max_count: 2 });
return commits.map((commit) => commit.split("\n")[0]);
