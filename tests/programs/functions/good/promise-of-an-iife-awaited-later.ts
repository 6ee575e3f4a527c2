//! class: functions
//! kind: good
//! like: claude
//! servers: github
//! looks: a function started in the middle, awaited at the end
//! verdict: runs
//! value: {"messages": ["Fix cart total", "Bump dependencies", "Fix typo in README"], "status": "success"}
//! notes: none
//! calls: ["github.list_commits", "github.get_pull_request_status"]
//! ----
const pending = (async () => {
  const commits = await github.list_commits({ owner: "acme", repo: "web", perPage: 3 });
  return commits.map((commit) => commit.commit.message);
})();
const status = await github.get_pull_request_status({ owner: "acme", repo: "web", pull_number: 31 });
return { messages: await pending, status: status.state };
