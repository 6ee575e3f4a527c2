//! class: facts
//! kind: faulty
//! like: claude
//! servers: git notion
//! fault: a misspelt tool in a list of calls that every execution makes
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["git.git_branch"]
//! calls: []
//! repair: program
//! ----
const [branches, me] = await Promise.all([
  git.git_branches({ repo_path: "/srv/web", branch_type: "local" }),
  notion.API_get_self(),
]);
return { branches: branches.split("\n").length, me: me.name };
