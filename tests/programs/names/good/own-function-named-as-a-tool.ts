//! class: names
//! kind: good
//! like: gpt
//! servers: github
//! looks: a function of the program's own with the name of a tool, and a positional argument
//! verdict: runs
//! value: [3, 0]
//! notes: none
//! calls: ["github.list_issues", "github.list_issues"]
//! ----
async function list_issues(repo: string) {
  return await github.list_issues({ owner: "acme", repo, state: "open" });
}
const [web, empty] = [await list_issues("web"), await list_issues("empty")];
return [web.length, empty.length];
