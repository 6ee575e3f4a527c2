//! class: names
//! kind: good
//! like: claude
//! servers: git
//! looks: walks over the names of a namespace
//! verdict: runs
//! value: ["git_diff_staged", "git_diff_unstaged"]
//! notes: none
//! calls: ["git.git_diff_unstaged", "git.git_diff_staged"]
//! ----
const names = Object.keys(git).filter((name) => name.startsWith("git_diff"));
const out: Record<string, number> = {};
for (const name of names) {
  if (name === "git_diff") continue;
  out[name] = (await git[name]({ repo_path: "/srv/web" })).length;
}
return "git_blame" in git ? null : Object.keys(out).sort();
