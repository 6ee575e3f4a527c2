//! class: names
//! kind: repaired
//! servers: github
//! repairs: camel-case-argument
//! verdict: runs
//! value: {"repos": 2, "issues": 3}
//! notes: none
//! calls: ["github.search_repositories", "github.list_issues"]
//! ----
const repos = await github.search_repositories({ query: "org:acme", perPage: 5 });
const issues = await github.list_issues({ owner: "acme", repo: "web", per_page: 5 });
return { repos: repos.total_count, issues: issues.length };
