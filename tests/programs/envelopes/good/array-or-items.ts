//! class: envelopes
//! kind: good
//! like: gpt
//! servers: github
//! looks: takes arrays and objects with `items`
//! verdict: runs
//! value: [3, 1]
//! notes: none
//! calls: ["github.list_issues", "github.search_users"]
//! ----
const listOf = (value: any): any[] => (Array.isArray(value) ? value : value.items ?? value.data?.items ?? []);
const issues = listOf(await github.list_issues({ owner: "acme", repo: "web" }));
const found = listOf(await github.search_users({ q: "mona" }));
return [issues.length, found.length];
