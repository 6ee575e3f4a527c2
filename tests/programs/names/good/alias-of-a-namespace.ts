//! class: names
//! kind: good
//! like: claude
//! servers: github
//! looks: a short name for a namespace
//! verdict: runs
//! value: {"open": 3, "closed": 1}
//! notes: none
//! calls: ["github.list_issues", "github.list_issues"]
//! ----
const gh = github;
const repo = { owner: "acme", repo: "web" };
const [open, closed] = await Promise.all([gh.list_issues({ ...repo, state: "open" }), gh.list_issues({ ...repo, state: "closed" })]);
return { open: open.length, closed: closed.length };
