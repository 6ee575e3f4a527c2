//! class: envelopes
//! kind: faulty
//! servers: github
//! fault: `content[0].text` of a value that is an array
//! verdict: fails
//! provable: no
//! says: ["already"]
//! at: [2]
//! calls: ["github.list_issues"]
//! repair: program
//! ----
const result = await github.list_issues({ owner: "acme", repo: "web" });
const issues = JSON.parse(result.content[0].text);
return issues.length;
