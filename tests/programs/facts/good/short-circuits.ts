//! class: facts
//! kind: good
//! like: qwen
//! servers: git
//! looks: tools that do not exist behind `&&` and `?:`
//! verdict: runs
//! value: {"hint": "commit first", "remote": true}
//! notes: any
//! calls: ["git.git_status", "git.git_branch"]
//! ----
const status = await git.git_status({ repo_path: "/srv/web" });
const clean = status.includes("nothing to commit");
clean && (await git.git_push({ repo_path: "/srv/web" }));
const hint = clean ? await git.git_tag({ name: "v1" }) : "commit first";
const remote = clean || (await git.git_branch({ repo_path: "/srv/web", branch_type: "remote" }));
return { hint, remote: remote.length > 0 };
