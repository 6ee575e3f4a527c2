//! class: values
//! kind: good
//! like: claude
//! servers: git
//! looks: a getter of a plain object is a value
//! verdict: runs
//! value: {"author": "Mona", "initials": "M"}
//! notes: none
//! calls: ["git.git_log"]
//! ----
const log = (await git.git_log({ repo_path: "/srv/web", max_count: 1 })).split("\n");
return {
  author: log[1].replace("Author: ", ""),
  get initials() { return this.author[0]; },
};
