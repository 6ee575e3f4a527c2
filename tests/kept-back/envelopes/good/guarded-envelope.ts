//! class: envelopes
//! kind: good
//! servers: github
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const result: any = await github.list_issues({ owner: "acme", repo: "web" });
const issues = Array.isArray(result) ? result : JSON.parse(result?.content?.[0]?.text ?? "[]");
return issues.length;
