//! class: functions
//! kind: good
//! servers: github
//! looks: a helper that is called with arguments
//! verdict: runs
//! value: 3
//! notes: none
//! calls: ["github.list_issues"]
//! ----
const count = async (owner: string, repo: string) => (await github.list_issues({ owner, repo })).length;
return await count("acme", "web");
