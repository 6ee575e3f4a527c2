//! class: globals
//! kind: faulty
//! servers: github
//! fault: `setImmediate` of Node.js, in a callback
//! verdict: fails
//! provable: no
//! says: ["setImmediate"]
//! calls: ["github.list_issues"]
//! repair: program
//! ----
const issues = await github.list_issues({ owner: "acme", repo: "web" });
await new Promise((done) => setImmediate(done));
return issues.length;
