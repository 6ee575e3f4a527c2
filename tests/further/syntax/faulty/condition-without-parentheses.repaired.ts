//! class: syntax
//! kind: repaired
//! servers: github
//! repairs: condition-without-parentheses
//! verdict: runs
//! value: "many"
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
if (issues.length > 2) {
  return "many";
}
return "few";
