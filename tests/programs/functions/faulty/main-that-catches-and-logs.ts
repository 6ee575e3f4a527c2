//! class: functions
//! kind: faulty
//! like: llama
//! servers: git
//! fault: prints instead of returning, from a `main` that nobody awaits: its lines are the answer, and there is no value
//! verdict: noted
//! provable: no
//! value: null
//! notes: ["returned nothing"]
//! console: ["changed files: 2"]
//! calls: ["git.git_diff"]
//! repair: unneeded
//! ----
async function main() {
  const diff = await git.git_diff({ repo_path: "/srv/web", target: "release" });
  const files = diff.split("\n").filter((line) => line.startsWith("diff --git")).length;
  console.log("changed files: " + files);
}

main().catch(console.error);
