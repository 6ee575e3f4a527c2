//! class: names
//! kind: faulty
//! like: gpt
//! servers: github
//! fault: `perPage`, which one tool has and the other writes `per_page`
//! verdict: refused
//! provable: yes
//! at: [2]
//! says: ["perPage", "per_page"]
//! calls: []
//! repair: program
//! ----
const repos = await github.search_repositories({ query: "org:acme", perPage: 5 });
const issues = await github.list_issues({ owner: "acme", repo: "web", perPage: 5 });
return { repos: repos.total_count, issues: issues.length };
