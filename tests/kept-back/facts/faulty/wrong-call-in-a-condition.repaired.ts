//! class: facts
//! kind: repaired
//! servers: github
//! repairs: wrong-call-in-a-condition
//! verdict: runs
//! value: "many"
//! notes: none
//! calls: ["github.create_issue", "github.list_issues"]
//! ----
await github.create_issue({ owner: "acme", repo: "web", title: "Clean up" });
if ((await github.list_issues({ owner: "acme", repo: "web", per_page: 5 })).length > 2) {
  return "many";
}
return "few";
