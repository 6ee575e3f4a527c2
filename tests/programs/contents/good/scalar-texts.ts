//! class: contents
//! kind: good
//! like: claude
//! servers: git
//! looks: texts that happen to be JSON scalars stay texts
//! verdict: runs
//! value: {"version": "string 1.10", "beta": "string true", "empty": "string null", "motto": "string \"quoted\""}
//! notes: none
//! calls: ["git.git_show", "git.git_show", "git.git_show", "git.git_show"]
//! ----
const show = (revision) => git.git_show({ repo_path: "/srv/web", revision });
const out = {};
for (const [name, revision] of Object.entries({ version: "HEAD:VERSION", beta: "HEAD:flags/beta", empty: "HEAD:data/empty.json", motto: "HEAD:motto" })) {
  const text = await show(revision);
  out[name] = `${typeof text} ${text.trim()}`;
}
return out;
