//! class: promises
//! kind: repaired
//! servers: github
//! repairs: promises-in-an-object
//! verdict: runs
//! value: {"open": [], "users": ["mona"]}
//! notes: none
//! calls: ["github.list_issues", "github.search_users"]
//! ----
return {
  open: await github.list_issues({ owner: "acme", repo: "empty" }),
  users: await github.search_users({ q: "mona" }).then((found) => found.items.map((user) => user.login)),
};
