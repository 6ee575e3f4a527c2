//! class: values
//! kind: repaired
//! servers: git
//! repairs: namespace-returned
//! verdict: runs
//! value: ["git_status", "git_diff_unstaged", "git_diff_staged", "git_diff", "git_commit", "git_add", "git_reset", "git_log", "git_create_branch", "git_checkout", "git_show", "git_branch"]
//! notes: none
//! calls: []
//! ----
// What can I do here?
return Object.keys(git);
