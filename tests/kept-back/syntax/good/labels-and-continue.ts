//! class: syntax
//! kind: good
//! servers: github
//! verdict: runs
//! value: [12, 21]
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
const found: number[] = [];
outer: for (const issue of issues) {
  for (const label of issue.labels) {
    if (label.name === "feature") continue outer;
  }
  found.push(issue.number);
}
return found;
