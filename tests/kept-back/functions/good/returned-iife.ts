//! class: functions
//! kind: good
//! servers: git
//! verdict: runs
//! value: true
//! notes: none
//! calls: ["git.git_status"]
//! ----
return await (async () => {
  const status = await git.git_status({ repo_path: "/srv/web" });
  return status.includes("notes.txt");
})();
