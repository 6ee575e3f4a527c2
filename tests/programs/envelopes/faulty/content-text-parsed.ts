//! class: envelopes
//! kind: faulty
//! like: claude
//! servers: github
//! fault: opens the envelope that a classic client would get
//! verdict: fails
//! provable: no
//! at: [2]
//! says: ["already", "github.list_issues"]
//! calls: ["github.list_issues"]
//! completed: ["github.list_issues"]
//! repair: program
//! ----
const result = await github.list_issues({ owner: "acme", repo: "web" });
const issues = JSON.parse(result.content[0].text);
return issues.length;
