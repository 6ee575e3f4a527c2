//! class: facts
//! kind: faulty
//! servers: github
//! fault: the condition of an `if` calls with a wrong type, after a write
//! verdict: refused
//! provable: yes
//! says: ["per_page"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
await github.create_issue({ owner: "acme", repo: "web", title: "Clean up" });
if ((await github.list_issues({ owner: "acme", repo: "web", per_page: "5" })).length > 2) {
  return "many";
}
return "few";
