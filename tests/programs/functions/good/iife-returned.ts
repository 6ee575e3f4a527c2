//! class: functions
//! kind: good
//! like: claude
//! servers: git
//! looks: an immediately invoked function that is returned
//! verdict: runs
//! value: "Mona"
//! notes: none
//! calls: ["git.git_show"]
//! ----
return (async () => {
  const shown = await git.git_show({ repo_path: "/srv/web", revision: "5f3c1e0" });
  return shown.match(/Author: (\w+)/)?.[1] ?? "nobody";
})();
