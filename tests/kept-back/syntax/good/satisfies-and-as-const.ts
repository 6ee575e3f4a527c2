//! class: syntax
//! kind: good
//! servers: github
//! verdict: runs
//! value: "Crash on empty cart"
//! notes: none
//! calls: ["github.get_issue"]
//! ----
const where = { owner: "acme", repo: "web" } as const satisfies Record<string, string>;
const issue = await github.get_issue({ ...where, issue_number: 21 });
return issue.title;
