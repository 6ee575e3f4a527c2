//! class: expressions
//! kind: good
//! like: gpt
//! servers: git
//! looks: every case returns
//! verdict: runs
//! value: "the shop"
//! notes: none
//! calls: ["git.git_show"]
//! ----
const flag = await git.git_show({ repo_path: "/srv/web", revision: "HEAD:package.json" });
switch (flag.name) {
  case "web":
    return "the shop";
  case "api":
    return "the backend";
  default:
    return "unknown";
}
