//! class: promises
//! kind: good
//! like: claude
//! servers: github git notion
//! looks: three servers at once
//! verdict: runs
//! value: [3, 3, "Sync bot"]
//! notes: none
//! calls: ["github.list_issues", "git.git_branch", "notion.API-get-self"]
//! ----
const [issues, branches, me] = await Promise.all([
  github.list_issues({ owner: "acme", repo: "web" }),
  git.git_branch({ repo_path: "/srv/web", branch_type: "all" }),
  notion.API_get_self({}),
]);
return [issues.length, branches.trim().split("\n").length, me.name];
