//! class: syntax
//! kind: faulty
//! servers: github
//! fault: a brace too many at the end
//! verdict: refused
//! provable: yes
//! calls: []
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
if (issues.length > 2) {
  return "many";
}
return "few";
}
