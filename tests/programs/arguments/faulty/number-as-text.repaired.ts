//! class: arguments
//! kind: repaired
//! servers: github
//! repairs: number-as-text
//! verdict: runs
//! value: {"by": "mona", "state": "closed"}
//! notes: none
//! calls: ["github.search_users", "github.update_issue"]
//! ----
const me = await github.search_users({ q: "mona" });
const updated = await github.update_issue({ owner: "acme", repo: "web", issue_number: 12, state: "closed" });
return { by: me.items[0].login, state: updated.state };
