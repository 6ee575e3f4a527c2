//! class: fences
//! kind: repaired
//! servers: github
//! repairs: unclosed-fence
//! verdict: runs
//! value: ["acme/web: 182", "acme/api: 64"]
//! notes: none
//! calls: ["github.search_repositories"]
//! ----
const { items } = await github.search_repositories({ query: "org:acme" });
return items.map((repo) => `${repo.full_name}: ${repo.stargazers_count}`);
