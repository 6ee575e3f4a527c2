//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: beyond-the-maximum
//! verdict: runs
//! value: [1, 2]
//! notes: none
//! calls: ["github.search_users", "github.search_issues"]
//! ----
const users = await github.search_users({ q: "mona", per_page: 5 });
const found = await github.search_issues({ q: "repo:acme/web", sort: "created", order: "desc", per_page: 100 });
return [users.total_count, found.total_count];
