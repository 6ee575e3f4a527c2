//! class: values
//! kind: good
//! like: llama
//! servers: git
//! looks: the answer is 0
//! verdict: runs
//! value: 0
//! notes: none
//! calls: ["git.git_diff_staged"]
//! ----
const staged = await git.git_diff_staged({ repo_path: "/srv/web" });
return staged.split("\n").filter((line) => line.startsWith("+")).length;
