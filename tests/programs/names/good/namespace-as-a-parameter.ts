//! class: names
//! kind: good
//! like: qwen
//! servers: github
//! looks: a parameter that shadows the namespace and has other methods
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
async function openIn(github, repo) {
  const issues = await github.listIssues(repo);
  return issues.length;
}
const client = { listIssues: async (repo) => github.list_issues({ owner: "acme", repo }) };
return await openIn(client, "web");
