//! class: values
//! kind: faulty
//! like: claude
//! servers: github
//! fault: an instance whose data are private and whose accessors are its class's: JSON makes `{}` of it
//! verdict: noted
//! provable: no
//! notes: ["Summary|accessor|getter"]
//! calls: ["github.list_issues"]
//! repair: program
//! ----
class Summary {
  #issues;
  constructor(issues) { this.#issues = issues; }
  get count() { return this.#issues.length; }
  get comments() { return this.#issues.reduce((sum, issue) => sum + issue.comments, 0); }
}
const summary = new Summary(await github.list_issues({ owner: "acme", repo: "web" }));
return summary;
