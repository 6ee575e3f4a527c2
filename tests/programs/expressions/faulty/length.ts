//! class: expressions
//! kind: faulty
//! like: llama
//! servers: github
//! fault: the last line is the answer, as in a notebook
//! verdict: noted
//! provable: no
//! value: 4
//! notes: ["return|expression|last"]
//! calls: ["github.list_issues"]
//! repair: unneeded
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web", state: "all" });
issues.length
