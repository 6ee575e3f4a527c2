//! class: names
//! kind: good
//! like: gemini
//! servers: git filesystem
//! looks: an object of the program's own with the reserved name `tools`
//! verdict: runs
//! value: {"branches": 3, "version": "2.4"}
//! notes: none
//! calls: ["git.git_branch", "filesystem.read_text_file"]
//! ----
const tools = {
  git: { branches: async () => (await git.git_branch({ repo_path: "/srv/web", branch_type: "local" })).split("\n").length },
  files: { read: async (path: string) => (await filesystem.read_text_file({ path })).content },
};
return { branches: await tools.git.branches(), version: (await tools.files.read("/srv/web/VERSION")).trim() };
