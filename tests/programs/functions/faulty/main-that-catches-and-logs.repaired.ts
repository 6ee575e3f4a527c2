//! class: functions
//! kind: repaired
//! servers: git
//! repairs: main-that-catches-and-logs
//! verdict: runs
//! value: "changed files: 2"
//! notes: none
//! calls: ["git.git_diff"]
//! ----
async function main() {
  const diff = await git.git_diff({ repo_path: "/srv/web", target: "release" });
  const files = diff.split("\n").filter((line) => line.startsWith("diff --git")).length;
  return "changed files: " + files;
}

return await main();
