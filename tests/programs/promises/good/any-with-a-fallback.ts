//! class: promises
//! kind: good
//! like: claude
//! servers: git
//! looks: the first that succeeds; the other one fails and was awaited by `Promise.any`
//! verdict: runs
//! value: "Commit: 5f3c1e0"
//! notes: none
//! calls: ["git.git_show", "git.git_show"]
//! ----
const first = await Promise.any([
  git.git_show({ repo_path: "/srv/web", revision: "v9" }),
  git.git_show({ repo_path: "/srv/web", revision: "5f3c1e0" }),
]);
return first.split("\n")[0];
