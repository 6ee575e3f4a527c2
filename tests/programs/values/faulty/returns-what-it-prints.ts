//! class: values
//! kind: faulty
//! like: llama
//! servers: github
//! fault: returns the value of `console.log`, which is `undefined`
//! verdict: noted
//! provable: no
//! value: null
//! notes: ["returned nothing"]
//! console: ["12, 15, 21"]
//! calls: ["github.list_issues"]
//! repair: unneeded
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
return console.log(issues.map((issue) => issue.number).join(", "));
