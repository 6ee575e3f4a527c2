//! class: promises
//! kind: faulty
//! like: claude
//! servers: github
//! fault: promises in own members of the returned value: awaited
//! verdict: noted
//! provable: no
//! value: {"open": [], "users": ["mona"]}
//! notes: []
//! calls: ["github.list_issues", "github.search_users"]
//! repair: unneeded
//! ----
return {
  open: github.list_issues({ owner: "acme", repo: "empty" }),
  users: github.search_users({ q: "mona" }).then((found) => found.items.map((user) => user.login)),
};
