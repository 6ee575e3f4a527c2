//! class: syntax
//! kind: faulty
//! servers: github
//! fault: `and` for `&&`
//! verdict: refused
//! provable: yes
//! at: [2]
//! calls: []
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
if (issues.length > 2 and issues[0].number === 12) {
  return "many";
}
return "few";
