//! class: syntax
//! kind: good
//! like: qwen
//! servers: git
//! looks: functions of the program's own with Python's names
//! verdict: runs
//! value: ["commits: 3", "true true"]
//! notes: none
//! calls: ["git.git_log"]
//! ----
const len = (value) => value.length;
const lines = [];
const print = (...values) => lines.push(values.join(" "));
const str = String, True = true, None = null;

const log = await git.git_log({ repo_path: "/srv/web" });
print("commits:", str(len(log)));
print(True, None === null);
return lines;
