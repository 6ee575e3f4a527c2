//! class: names
//! kind: good
//! like: claude
//! servers: github
//! looks: names that the program makes
//! verdict: runs
//! value: {"issues": 3, "pull_requests": 2, "commits": 3}
//! notes: none
//! calls: ["github.list_issues", "github.list_pull_requests", "github.list_commits"]
//! ----
const counts: Record<string, number> = {};
for (const kind of ["issues", "pull_requests", "commits"] as const) {
  counts[kind] = (await github[`list_${kind}`]({ owner: "acme", repo: "web" })).length;
}
return counts;
