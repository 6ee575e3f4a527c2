//! class: facts
//! kind: repaired
//! servers: git notion
//! repairs: misspelt-tool-in-all
//! verdict: runs
//! value: {"branches": 3, "me": "Sync bot"}
//! notes: none
//! calls: ["git.git_branch", "notion.API-get-self"]
//! ----
const [branches, me] = await Promise.all([
  git.git_branch({ repo_path: "/srv/web", branch_type: "local" }),
  notion.API_get_self(),
]);
return { branches: branches.split("\n").length, me: me.name };
