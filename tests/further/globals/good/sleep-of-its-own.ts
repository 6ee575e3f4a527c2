//! class: globals
//! kind: good
//! servers: github
//! looks: `sleep` is declared
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
await sleep(1);
return (await github.list_issues({ owner: "acme", repo: "web" })).length;
