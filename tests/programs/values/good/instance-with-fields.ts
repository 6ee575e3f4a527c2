//! class: values
//! kind: good
//! like: claude
//! servers: github
//! looks: an instance whose own members say all
//! verdict: runs
//! value: {"version": "2.5", "notes": ["Fix cart total", "Bump dependencies", "Fix typo in README"]}
//! notes: any
//! calls: ["github.list_commits"]
//! ----
class Release {
  notes: string[] = [];
  constructor(public version: string) {}
  add(note: string) { this.notes.push(note); return this; }
  get size() { return this.notes.length; }
}
const release = new Release("2.5");
for (const commit of await github.list_commits({ owner: "acme", repo: "web", perPage: 2 })) release.add(commit.commit.message);
return release;
