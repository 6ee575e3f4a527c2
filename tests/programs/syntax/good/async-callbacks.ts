//! class: syntax
//! kind: good
//! like: gpt
//! servers: github
//! looks: `await` in a callback that is `async`
//! verdict: runs
//! value: {"31": 52, "33": 5}
//! notes: none
//! calls: ["github.list_pull_requests", "github.get_pull_request_files", "github.get_pull_request_files"]
//! ----
const pulls = await github.list_pull_requests({ owner: "acme", repo: "web" });
const sizes = await Promise.all(pulls.map(async ({ number }) => {
  const files = await github.get_pull_request_files({ owner: "acme", repo: "web", pull_number: number });
  return [number, files.reduce((sum, file) => sum + file.additions, 0)];
}));
return Object.fromEntries(sizes);
