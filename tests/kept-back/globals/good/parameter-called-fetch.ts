//! class: globals
//! kind: good
//! servers: github
//! verdict: runs
//! value: "Broken footer link"
//! notes: none
//! calls: ["github.get_issue"]
//! ----
const load = async (fetch: (number: number) => Promise<{ title: string }>) => (await fetch(7)).title;
return await load((number) => github.get_issue({ owner: "acme", repo: "web", issue_number: number }));
