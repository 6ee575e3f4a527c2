//! class: names
//! kind: good
//! servers: github
//! looks: three names that begin with a variable
//! verdict: runs
//! value: "MONA"
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const first = (await github.list_issues({ owner: "acme", repo: "web" }))[0];
return first.user.login.toUpperCase();
