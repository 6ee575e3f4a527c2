//! class: fences
//! kind: good
//! like: llama
//! servers: git
//! looks: lines that end as on Windows, without any fence
//! verdict: runs
//! value: 1
//! notes: none
//! calls: ["git.git_status"]
//! ----
const status = await git.git_status({ repo_path: '/srv/web' });
const changed = status
  .split('\n')
  .filter(line => line.includes('modified:'));
return changed.length;
