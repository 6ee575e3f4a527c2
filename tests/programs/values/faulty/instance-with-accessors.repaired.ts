//! class: values
//! kind: repaired
//! servers: github
//! repairs: instance-with-accessors
//! verdict: runs
//! value: {"count": 3, "comments": 17}
//! notes: none
//! calls: ["github.list_issues"]
//! ----
class Summary {
  #issues;
  constructor(issues) { this.#issues = issues; }
  get count() { return this.#issues.length; }
  get comments() { return this.#issues.reduce((sum, issue) => sum + issue.comments, 0); }
}
const summary = new Summary(await github.list_issues({ owner: "acme", repo: "web" }));
return { count: summary.count, comments: summary.comments };
