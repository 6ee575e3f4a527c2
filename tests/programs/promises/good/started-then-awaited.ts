//! class: promises
//! kind: good
//! like: claude
//! servers: github
//! looks: calls that are stored and awaited later
//! verdict: runs
//! value: {"commits": 3, "pulls": 2}
//! notes: none
//! calls: ["github.list_commits", "github.list_pull_requests"]
//! ----
const commitsPromise = github.list_commits({ owner: "acme", repo: "web" });
const pullsPromise = github.list_pull_requests({ owner: "acme", repo: "web" });

const commits = await commitsPromise;
const pulls = await pullsPromise;
return { commits: commits.length, pulls: pulls.length };
