//! class: syntax
//! kind: repaired
//! servers: github
//! repairs: and-in-a-condition
//! verdict: runs
//! value: "many"
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
if (issues.length > 2 && issues[0].number === 12) {
  return "many";
}
return "few";
