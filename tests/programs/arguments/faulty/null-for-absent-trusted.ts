//! class: arguments
//! kind: faulty
//! like: gpt
//! servers: git
//! trusted: git.git_diff_unstaged
//! fault: `null` for an optional property of a tool that the operator trusts as read-only: it is absence
//! verdict: noted
//! provable: no
//! value: 5
//! notes: ["context_lines"]
//! calls: ["git.git_diff_unstaged"]
//! sends: [{"repo_path": "/srv/web"}]
//! repair: unneeded
//! ----
const diff = await git.git_diff_unstaged({ repo_path: "/srv/web", context_lines: null });
return diff.split("\n").length;
