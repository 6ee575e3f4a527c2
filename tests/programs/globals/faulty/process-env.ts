//! class: globals
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: asks the environment, which is not there
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["process"]
//! calls: []
//! repair: program
//! ----
const user = await github.search_users({ q: "mona" });
const owner = process.env.GITHUB_OWNER || "acme";
const issues = await github.list_issues({ owner, repo: "web" });
return issues.filter((issue) => issue.user.login === user.items[0].login).length;
