//! class: facts
//! kind: good
//! servers: github
//! looks: `print` only where there is one
//! verdict: runs
//! value: 3
//! notes: any
//! calls: ["github.list_issues"]
//! ----
if (typeof print === "function") print("x");
return (await github.list_issues({ owner: "acme", repo: "web" })).length;
