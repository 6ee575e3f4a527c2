//! class: syntax
//! kind: faulty
//! servers: github
//! fault: a condition without parentheses
//! verdict: refused
//! provable: yes
//! at: [2]
//! calls: []
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
if issues.length > 2 {
  return "many";
}
return "few";
