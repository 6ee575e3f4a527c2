//! class: arguments
//! kind: faulty
//! like: gemini
//! servers: github
//! fault: a number beyond its maximum
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["per_page", "100"]
//! calls: []
//! repair: program
//! ----
const users = await github.search_users({ q: "mona", per_page: 5 });
const found = await github.search_issues({ q: "repo:acme/web", sort: "created", order: "desc", per_page: 500 });
return [users.total_count, found.total_count];
