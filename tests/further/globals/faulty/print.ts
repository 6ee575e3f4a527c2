//! class: globals
//! kind: faulty
//! servers: github
//! fault: `print` as in other languages
//! verdict: refused
//! provable: yes
//! says: ["print"]
//! at: [2]
//! calls: []
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
print(issues.length);
return issues.length;
